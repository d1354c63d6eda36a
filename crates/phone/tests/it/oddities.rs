//! What is odd about how a call sounds: told once it lasts, and told to be over once that lasts.

use std::time::Duration;

use phone::media::Figures;
use phone::warning::Warning;
use phone::{MediaEvent, SessionId};
use serde_json::json;

use crate::harness::{Rig, alice_with};

/// She has a microphone.
fn alice() -> serde_json::Value {
    alice_with(json!({ "audio": { "input": "default", "output": "none" } }))
}

fn fine() -> Figures {
    Figures {
        mos: 4.4,
        near_peak: Some(0.01),
        heard: true,
        concealed: 50.0,
        jitter: 3.0,
        delay: 80.0,
        ..Figures::default()
    }
}

/// So many seconds in which the call sounds so.
fn seconds(rig: &mut Rig, id: SessionId, count: u32, figures: &Figures) {
    for _ in 0..count {
        rig.advance(Duration::from_secs(1));
        let figures = figures.clone();
        rig.media_event(id, MediaEvent::Measured { figures });
    }
}

fn counts(rig: &Rig) -> (usize, usize) {
    (rig.count("warning"), rig.count("warningCleared"))
}

/// Each oddity but those of devices and of no sound: its figures, and after how many seconds it is told and cleared.
fn oddities() -> Vec<(&'static str, Figures, u32, u32)> {
    let fine = fine();
    vec![
        (
            "loss",
            Figures {
                loss: 6.0,
                ..fine.clone()
            },
            5,
            7,
        ),
        (
            "loss",
            Figures {
                peer_loss: Some(6.0),
                ..fine.clone()
            },
            5,
            7,
        ),
        (
            "jitter",
            Figures {
                jitter: 50.0,
                ..fine.clone()
            },
            5,
            6,
        ),
        (
            "delay",
            Figures {
                delay: 400.0,
                ..fine.clone()
            },
            5,
            5,
        ),
        (
            "microphone-silent",
            Figures {
                near_peak: Some(0.0),
                ..fine.clone()
            },
            10,
            1,
        ),
        (
            "clipping",
            Figures {
                clipped: 1.0,
                ..fine.clone()
            },
            5,
            10,
        ),
        (
            "echo-suspected",
            Figures {
                echo_here: 0.9,
                ..fine.clone()
            },
            5,
            3,
        ),
        (
            "echo-suspected",
            Figures {
                echo_there: 0.9,
                ..fine.clone()
            },
            5,
            3,
        ),
        (
            "cpu-too-slow",
            Figures {
                pressure: 1.2,
                ..fine
            },
            5,
            4,
        ),
    ]
}

#[test]
fn each_is_told_once_it_lasts_and_cleared_once_it_is_better_for_a_while() {
    for (code, odd, raised, cleared) in oddities() {
        let (mut rig, _, id) = Rig::having_called(alice());
        seconds(&mut rig, id, raised - 1, &odd);
        assert_eq!(counts(&rig), (0, 0), "{code} is told too early");
        seconds(&mut rig, id, 1, &odd);
        assert_eq!(counts(&rig), (1, 0), "{code}");
        let told = rig.last("warning");
        assert_eq!(told["warning"], code);
        for member in ["text", "cause", "advice"] {
            let text = told[member].as_str().unwrap();
            assert!(text.len() > 10, "{code}: {member} {text}");
        }
        seconds(&mut rig, id, 20, &odd);
        assert_eq!(counts(&rig), (1, 0), "{code} is told once");
        seconds(&mut rig, id, cleared - 1, &fine());
        assert_eq!(counts(&rig), (1, 0), "{code} is cleared too early");
        seconds(&mut rig, id, 1, &fine());
        assert_eq!(counts(&rig), (1, 1), "{code}");
        assert_eq!(rig.last("warningCleared")["warning"], code);
        seconds(&mut rig, id, 30, &fine());
        assert_eq!(counts(&rig), (1, 1), "{code}");
    }
}

#[test]
fn what_comes_and_goes_does_not_flap() {
    for (code, odd, ..) in oddities() {
        let (mut rig, _, id) = Rig::having_called(alice());
        for _ in 0..20 {
            seconds(&mut rig, id, 1, &odd);
            seconds(&mut rig, id, 2, &fine());
        }
        let (told, _) = counts(&rig);
        assert!(told <= 1, "{code}: {told} times in a minute");
    }
}

#[test]
fn the_message_says_the_figure_and_the_direction() {
    let text = |odd: Figures| {
        let (mut rig, _, id) = Rig::having_called(alice());
        seconds(&mut rig, id, 5, &odd);
        rig.last("warning")["text"].as_str().unwrap().to_owned()
    };
    let there = Figures {
        peer_loss: Some(12.3),
        loss: 1.0,
        ..fine()
    };
    assert_eq!(
        text(there),
        "12 % of what is sent is lost on its way to the other side"
    );
    let here = Figures {
        loss: 8.0,
        ..fine()
    };
    assert_eq!(
        text(here),
        "8 % of what the other side sends is lost on its way here"
    );
    let itself = Figures {
        echo_here: 0.9,
        echo_there: 0.2,
        ..fine()
    };
    assert!(text(itself).starts_with("The other side seems to hear itself"));
    let back = Figures {
        echo_there: 0.9,
        ..fine()
    };
    assert!(text(back).contains("come back from the other side"));
}

#[test]
fn a_microphone_that_is_not_heard_is_not_silent() {
    let silent = Figures {
        near_peak: Some(0.0),
        clipped: 5.0,
        echo_here: 0.9,
        ..fine()
    };
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.done(json!({ "type": "mute", "id": id, "muted": true }));
    seconds(&mut rig, id, 20, &silent);
    assert_eq!(counts(&rig), (0, 0), "muted");
    rig.done(json!({ "type": "mute", "id": id, "muted": false }));
    seconds(&mut rig, id, 10, &silent);
    assert_eq!(counts(&rig), (3, 0));
    rig.done(json!({ "type": "mute", "id": id, "muted": true }));
    seconds(&mut rig, id, 3, &silent);
    assert_eq!(counts(&rig), (3, 3), "muted again");
    for input in [
        json!({ "type": "none" }),
        json!({ "type": "source", "id": 1 }),
    ] {
        let (mut rig, _, id) = Rig::having_called(alice());
        rig.done(json!({ "type": "setInput", "id": id, "input": input }));
        seconds(
            &mut rig,
            id,
            20,
            &Figures {
                near_peak: Some(0.0),
                ..fine()
            },
        );
        assert_eq!(counts(&rig), (0, 0), "{input}");
    }
}

#[test]
fn a_microphone_that_could_not_be_opened_is_told_of_once() {
    let (mut rig, _, id) = Rig::having_called(alice());
    let device = phone::audio::Device::Input;
    let reason = "there is none".to_owned();
    rig.media_event(id, MediaEvent::DeviceFailed { device, reason });
    seconds(
        &mut rig,
        id,
        20,
        &Figures {
            near_peak: Some(0.0),
            ..fine()
        },
    );
    assert_eq!(counts(&rig), (1, 0));
}

#[test]
fn what_was_measured_before_a_pause_says_nothing_about_now() {
    let odd = Figures {
        loss: 20.0,
        ..fine()
    };
    let (mut rig, _, id) = Rig::having_called(alice());
    seconds(&mut rig, id, 4, &odd);
    rig.seconds(60);
    seconds(&mut rig, id, 4, &fine());
    seconds(&mut rig, id, 1, &fine());
    assert_eq!(counts(&rig), (0, 0));
}

#[test]
fn the_figures_of_the_first_second_count_once() {
    let odd = Figures {
        loss: 20.0,
        ..fine()
    };
    let (mut rig, _, id) = Rig::having_called(alice());
    for _ in 0..20 {
        rig.advance(Duration::from_millis(100));
        let figures = odd.clone();
        rig.media_event(id, MediaEvent::Measured { figures });
    }
    assert_eq!(counts(&rig), (0, 0));
}

/// docs/quality.md has a row for each warning, in its own words.
#[test]
fn the_page_tells_every_warning() {
    let page = include_str!("../../../../docs/quality.md");
    let (_, rest) = page.split_once("<!-- warnings:begin -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- warnings:end -->").unwrap();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let expected: Vec<String> = Warning::ALL.into_iter().map(row).collect();
    let starts = |row: &str, expected: &str| row.starts_with(expected);
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(&expected) {
        assert!(
            starts(row, expected),
            "{row}\nshould begin with\n{expected}"
        );
    }
}

fn row(warning: Warning) -> String {
    let code = serde_json::to_value(warning).unwrap();
    let explained = warning.explained();
    let dotless = |text: &str| text.trim_end_matches('.').to_owned();
    format!(
        "| `{}` | {} | {} | ",
        code.as_str().unwrap(),
        dotless(&explained.cause),
        dotless(&explained.advice)
    )
}

#[test]
fn a_microphone_that_gives_what_converters_make_of_nothing_is_silent_also_in_a_mix() {
    let device = json!({ "type": "device", "id": "alsa:headset" });
    let mix = json!({ "type": "mix", "parts": [{ "type": "source", "id": 1 }, device] });
    for (input, steps, warnings) in [
        (&device, 2.0, 1),
        (&device, 3.0, 0),
        (&mix, 2.0, 1),
        (
            &json!({ "type": "mix", "parts": [{ "type": "source", "id": 1 }] }),
            0.0,
            0,
        ),
    ] {
        let (mut rig, _, id) = Rig::having_called(alice());
        rig.done(json!({ "type": "setInput", "id": id, "input": input }));
        let figures = Figures {
            near_peak: Some(steps / 32_768.0),
            ..fine()
        };
        seconds(&mut rig, id, 15, &figures);
        assert_eq!(counts(&rig), (warnings, 0), "{input} {steps}");
    }
}

#[test]
fn nothing_that_was_captured_is_no_silent_microphone() {
    let (mut rig, _, id) = Rig::having_called(alice());
    let held = Figures {
        near_peak: None,
        ..fine()
    };
    seconds(&mut rig, id, 30, &held);
    assert_eq!(counts(&rig), (0, 0), "the peer holds us");
}

#[test]
fn old_figures_raise_nothing_and_what_was_raised_ends_with_them() {
    let odd = Figures {
        jitter: 80.0,
        delay: 500.0,
        ..fine()
    };
    let old = Figures {
        heard: false,
        ..odd.clone()
    };
    let (mut rig, _, id) = Rig::having_called(alice());
    seconds(&mut rig, id, 20, &old);
    assert_eq!(counts(&rig), (0, 0));
    seconds(&mut rig, id, 5, &odd);
    seconds(&mut rig, id, 1, &old);
    assert_eq!(counts(&rig), (2, 2));
}

#[test]
fn loss_that_is_made_good_is_none() {
    let repaired = Figures {
        loss: 20.0,
        concealed: 0.5,
        ..fine()
    };
    let (mut rig, _, id) = Rig::having_called(alice());
    seconds(&mut rig, id, 20, &repaired);
    assert_eq!(counts(&rig), (0, 0));
}
