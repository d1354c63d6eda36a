//! Prometheus' text form, version 0.0.4.

use std::fmt::{Display, Write};

use phone::tally::{Histogram, Readiness, Tally};

use super::Health;
use crate::media_worker::ClockFigures;

/// The page that is read, family after family.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// The label of every sample, as it is written.
    label: Option<String>,
}

type Label<'a> = (&'static str, &'a str);

impl Page {
    pub(super) fn new() -> Page {
        Page::default()
    }

    pub(super) fn labelled(name: &str, value: &str) -> Page {
        Page {
            text: String::new(),
            label: Some(label(name, value)),
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// What became of calls.
    pub(super) fn tally(&mut self, tally: &Tally) {
        let directions = [("incoming", &tally.incoming), ("outgoing", &tally.outgoing)];
        let name = "offhook_calls_total";
        self.family(name, "counter", "Calls that were placed or rang.");
        for (direction, calls) in directions {
            self.sample(name, &[("direction", direction)], calls.begun);
        }
        let name = "offhook_calls_ended_total";
        self.family(name, "counter", "Calls that are over.");
        for (condition, number) in &tally.ended {
            let condition: &str = condition;
            self.sample(name, &[("condition", condition)], number);
        }
        let name = "offhook_calls_refused_total";
        self.family(name, "counter", "Callers who were refused at once.");
        for (code, number) in &tally.refused {
            let code = code.to_string();
            self.sample(name, &[("code", code.as_str())], number);
        }
        let name = "offhook_call_setup_seconds";
        self.family(
            name,
            "histogram",
            "Time to the answer, from when it rang here or was placed.",
        );
        for (direction, calls) in directions {
            self.histogram(name, &[("direction", direction)], &calls.set_up);
        }
        for (name, help, histogram) in [
            (
                "offhook_call_duration_seconds",
                "Time from the answer to the end of a call.",
                &tally.duration,
            ),
            (
                "offhook_call_mos",
                "Estimated mean opinion score of a call with sound, 1 to 5.",
                &tally.mos,
            ),
            (
                "offhook_call_loss_ratio",
                "Part of the packets of a call with sound that did not come.",
                &tally.loss,
            ),
        ] {
            self.family(name, "histogram", help);
            self.histogram(name, &[], histogram);
        }
    }

    /// How phones stand.
    pub(super) fn phones(&mut self, phones: &[Health]) {
        let sum = |of: fn(&Health) -> u32| phones.iter().map(of).map(u64::from).sum::<u64>();
        let name = "offhook_calls";
        self.family(name, "gauge", "Calls that there are.");
        let ringing = sum(|phone| phone.ringing);
        let calls = sum(|phone| phone.calls);
        self.sample(name, &[("state", "ringing")], ringing);
        self.sample(
            name,
            &[("state", "answered")],
            calls.saturating_sub(ringing),
        );
        let name = "offhook_phones";
        self.family(
            name,
            "gauge",
            "Phones, by whether they would take a call now.",
        );
        for (state, readiness) in [
            ("ready", Readiness::Ready),
            ("full", Readiness::Full),
            ("draining", Readiness::Draining),
            ("unreachable", Readiness::Unreachable),
        ] {
            let number = phones.iter().filter(|phone| phone.status == readiness);
            self.sample(name, &[("state", state)], number.count());
        }
        let load = phones.iter().map(|phone| phone.load).fold(0.0, f64::max);
        for (name, help, value) in [
            (
                "offhook_load_ratio",
                "How full the fullest phone is; at 1 it takes no call.",
                load,
            ),
            (
                "offhook_event_queue_bytes",
                "Events that JavaScript has not read.",
                sum(|phone| phone.queues.events) as f64,
            ),
            (
                "offhook_command_queue_length",
                "Commands that wait for a phone.",
                sum(|phone| phone.queues.commands) as f64,
            ),
        ] {
            self.family(name, "gauge", help);
            self.sample(name, &[], value);
        }
    }

    /// How the media clock keeps its time.
    pub(super) fn clock(&mut self, clock: ClockFigures, load: f64) {
        for (name, help, value) in [
            (
                "offhook_media_ticks_total",
                "Ticks of 10 ms in which sound was made.",
                clock.ticks,
            ),
            (
                "offhook_media_late_ticks_total",
                "Ticks that began more than 10 ms late.",
                clock.late,
            ),
            (
                "offhook_media_skipped_ticks_total",
                "Ticks that were left out because they were due too long ago.",
                clock.skipped,
            ),
        ] {
            self.family(name, "counter", help);
            self.sample(name, &[], value);
        }
        let name = "offhook_media_load_ratio";
        self.family(name, "gauge", "How full the media threads are.");
        self.sample(name, &[], load);
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}");
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        let own = labels.iter().map(|(name, value)| label(name, value));
        let labels: Vec<String> = self.label.clone().into_iter().chain(own).collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }

    fn histogram(&mut self, name: &str, labels: &[Label<'_>], histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        let number = histogram.count();
        let bounds = histogram.cumulative();
        let bounds = bounds.map(|(bound, number)| (bound.to_string(), number));
        for (bound, number) in bounds.chain([("+Inf".to_owned(), number)]) {
            let mut labels: Vec<Label<'_>> = labels.to_vec();
            labels.push(("le", bound.as_str()));
            self.sample(&bucket, &labels, number);
        }
        self.sample(&format!("{name}_sum"), labels, histogram.sum());
        self.sample(&format!("{name}_count"), labels, number);
    }
}

fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}
