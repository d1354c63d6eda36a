//! Figures over time, as SVG inside the page.

use std::fmt::Write;
use std::time::Duration;

use crate::journal::{Journal, Note};
use crate::samples::Sample;
use crate::text::{escaped, offset};

const WIDTH: f32 = 480.0;
const HEIGHT: f32 = 170.0;
const LEFT: f32 = 54.0;
const RIGHT: f32 = 470.0;
const TOP: f32 = 10.0;
const BOTTOM: f32 = 145.0;
/// What has so few seconds is drawn over as long an axis.
const SHORTEST: f32 = 5.0;
/// So many marks of what was odd: more would hide the lines.
const MOST_MARKS: usize = 40;

/// A line of a plot: its name, and where its figures are.
type Line = (&'static str, fn(&Sample) -> f32);

struct Plot {
    title: &'static str,
    unit: &'static str,
    lines: &'static [Line],
    range: Range,
}

enum Range {
    /// From the first to the second.
    Fixed(f32, f32),
    /// From 0 to at least this.
    From0(f32),
}

const PLOTS: [Plot; 6] = [
    Plot {
        title: "MOS",
        unit: "",
        lines: &[("MOS", |s| s.mos)],
        range: Range::Fixed(1.0, 4.5),
    },
    Plot {
        title: "Loss",
        unit: " %",
        lines: &[
            ("on the way here", |s| s.loss),
            ("on the way there", |s| s.peer_loss),
            ("invented sound", |s| s.concealed),
        ],
        range: Range::From0(5.0),
    },
    Plot {
        title: "Jitter",
        unit: " ms",
        lines: &[("jitter", |s| s.jitter)],
        range: Range::From0(20.0),
    },
    Plot {
        title: "Buffer",
        unit: " ms",
        lines: &[("sound that waits", |s| s.buffer)],
        range: Range::From0(50.0),
    },
    Plot {
        title: "Delay",
        unit: " ms",
        lines: &[
            ("round trip", |s| s.round_trip),
            ("mouth to ear", |s| s.delay),
        ],
        range: Range::From0(50.0),
    },
    Plot {
        title: "Levels",
        unit: " dB",
        lines: &[("here", |s| s.near), ("other side", |s| s.far)],
        range: Range::Fixed(-80.0, 0.0),
    },
];

pub(crate) fn plots(journal: &Journal) -> String {
    if journal.samples().is_empty() {
        return "<p>Nothing was measured: no sound went either way.</p>".to_owned();
    }
    let begin = journal.begin();
    let since = |at: Duration| at.saturating_sub(begin).as_secs_f32();
    let last = journal.samples().last().map_or(0.0, |last| since(last.at));
    let axes = |plot: &'static Plot| Axes {
        plot,
        begin,
        span: last.max(SHORTEST),
        bounds: plot.bounds(journal.samples()),
    };
    let mut out = String::from("<div class=\"plots\">\n");
    for plot in &PLOTS {
        axes(plot).draw(&mut out, journal);
    }
    out.push_str("</div>");
    out
}

impl Plot {
    fn bounds(&self, samples: &[Sample]) -> (f32, f32) {
        match self.range {
            Range::Fixed(from, to) => (from, to),
            Range::From0(least) => {
                let figures = self.lines.iter().flat_map(|(_, of)| samples.iter().map(of));
                let most = figures
                    .filter(|figure| figure.is_finite())
                    .fold(least, f32::max);
                (0.0, round(most))
            }
        }
    }
}

/// The next of 1, 2, 5, 10, 20, 50 …
fn round(most: f32) -> f32 {
    let power = 10.0_f32.powf(most.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|step| step * power)
        .into_iter()
        .find(|step| *step >= most * 0.999)
        .unwrap_or(10.0 * power)
}

struct Axes {
    plot: &'static Plot,
    begin: Duration,
    /// Seconds.
    span: f32,
    bounds: (f32, f32),
}

impl Axes {
    fn draw(&self, out: &mut String, journal: &Journal) {
        let Plot {
            title, unit, lines, ..
        } = self.plot;
        let _ = write!(
            out,
            "<figure><figcaption><b>{title}</b>{}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title} over time\">",
            legend(lines),
        );
        let (from, to) = self.bounds;
        for step in 0..=2_u8 {
            let figure = from + (to - from) * f32::from(step) / 2.0;
            let y = self.y(figure);
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/><text x=\"{:.0}\" y=\"{:.1}\" class=\"left\">{}{unit}</text>",
                LEFT - 4.0,
                y + 4.0,
                short(figure),
            );
        }
        for step in 0..=2_u8 {
            let seconds = self.span * f32::from(step) / 2.0;
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.0}\" class=\"below{step}\">{}</text>",
                LEFT + (RIGHT - LEFT) * f32::from(step) / 2.0,
                BOTTOM + 18.0,
                duration(seconds),
            );
        }
        for note in journal
            .notes()
            .iter()
            .filter(|note| note.odd)
            .take(MOST_MARKS)
        {
            self.mark(out, note);
        }
        for (index, (_, of)) in lines.iter().enumerate() {
            self.line(out, index, *of, journal.samples());
        }
        out.push_str("</svg></figure>\n");
    }

    fn mark(&self, out: &mut String, note: &Note) {
        let x = self.x(note.at);
        let _ = write!(
            out,
            "<path class=\"mark\" d=\"M{x:.1} {TOP}V{BOTTOM}\"><title>{} {}</title></path>",
            offset(note.at.saturating_sub(self.begin)),
            escaped(&note.text),
        );
    }

    fn line(&self, out: &mut String, index: usize, of: fn(&Sample) -> f32, samples: &[Sample]) {
        let mut path = String::new();
        let mut drawing = false;
        for sample in samples {
            let figure = of(sample);
            if !figure.is_finite() {
                drawing = false;
                continue;
            }
            let step = if drawing { 'L' } else { 'M' };
            let (x, y) = (self.x(sample.at), self.y(figure));
            let _ = write!(path, "{step}{x:.1} {y:.1}");
            if !drawing {
                // A figure that stands alone is a dot.
                path.push_str("h.1");
            }
            drawing = true;
        }
        let _ = write!(out, "<path class=\"line l{index}\" d=\"{path}\"/>");
    }

    fn x(&self, at: Duration) -> f32 {
        let part = at.saturating_sub(self.begin).as_secs_f32() / self.span;
        LEFT + (RIGHT - LEFT) * part.clamp(0.0, 1.0)
    }

    fn y(&self, figure: f32) -> f32 {
        let (from, to) = self.bounds;
        let part = (figure - from) / (to - from);
        BOTTOM - (BOTTOM - TOP) * part.clamp(0.0, 1.0)
    }
}

fn legend(lines: &[Line]) -> String {
    if lines.len() < 2 {
        return String::new();
    }
    let name =
        |(index, (name, _)): (usize, &Line)| format!("<span class=\"k{index}\">{name}</span>");
    lines.iter().enumerate().map(name).collect()
}

fn short(figure: f32) -> String {
    match figure.fract() == 0.0 {
        true => format!("{figure:.0}"),
        false => format!("{figure:.2}").trim_end_matches('0').to_owned(),
    }
}

fn duration(seconds: f32) -> String {
    match seconds {
        s if s >= 120.0 => format!("{:.1} min", s / 60.0),
        s => format!("{} s", short((s * 10.0).round() / 10.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_figure() {
        for (most, end) in [
            (5.0, 5.0),
            (5.1, 10.0),
            (87.0, 100.0),
            (120.0, 200.0),
            (0.3, 1.0),
        ] {
            assert_eq!(round(most), end, "{most}");
        }
    }

    #[test]
    fn a_figure_stands_at_its_time_and_height() {
        let mut journal = Journal::default();
        for (second, mos) in [(100, 1.0), (105, 2.75), (110, 4.5)] {
            journal.sample(Sample {
                at: Duration::from_secs(second),
                mos,
                ..Sample::default()
            });
        }
        let page = plots(&journal);
        let (_, line) = page.split_once("class=\"line l0\" d=\"").unwrap();
        let (line, _) = line.split_once('"').unwrap();
        assert_eq!(line, "M54.0 145.0h.1L262.0 77.5L470.0 10.0");
        assert!(page.contains(">10 s</text>"), "the axis ends with the call");
    }

    #[test]
    fn long_calls_have_minutes_and_short_ones_seconds() {
        let shown = [0.0, 12.34, 119.0, 120.0, 3_600.0].map(duration);
        assert_eq!(shown, ["0 s", "12.3 s", "119 s", "2.0 min", "60.0 min"]);
    }

    #[test]
    fn what_was_odd_is_marked_at_its_time_and_not_too_often() {
        let mut journal = Journal::default();
        for second in 0..=60 {
            let at = Duration::from_secs(second);
            journal.sample(Sample {
                at,
                mos: 4.0,
                ..Sample::default()
            });
            let text = format!("odd at {second} s");
            journal.note(Note {
                at,
                text,
                odd: true,
            });
        }
        let page = plots(&journal);
        assert_eq!(
            page.matches("class=\"mark\"").count(),
            MOST_MARKS * PLOTS.len()
        );
        let (before, _) = page.split_once("odd at 30 s").unwrap();
        assert!(before.rsplit_once("d=\"").unwrap().1.starts_with("M262.0 "));
    }

    #[test]
    fn what_is_unknown_leaves_a_gap_in_its_line() {
        let mut journal = Journal::default();
        for (second, mos) in [4.0, 4.1, f32::NAN, 4.2].into_iter().enumerate() {
            journal.sample(Sample {
                at: Duration::from_secs(second as u64),
                mos,
                ..Sample::default()
            });
        }
        let page = plots(&journal);
        let (_, line) = page.split_once("class=\"line l0\" d=\"").unwrap();
        let (line, _) = line.split_once('"').unwrap();
        assert_eq!(line.matches('M').count(), 2);
        assert_eq!(line.matches('L').count(), 1);
        assert!(!page.contains("NaN"));
    }
}
