//! Any JSON as options and as a command. The fuzz target compiles this file as well.

use std::time::{Duration, Instant};

use phone::{Command, Config, Connection, Output, Phone, Ticket};
use serde_json::{Value, json};
use sip::transaction::Transport;

/// Longer texts about an option are not for people.
const LONGEST_TEXT: usize = 1024;

/// Takes `options`, a line feed and a `command`, each of which may be anything.
pub(crate) fn take(bytes: &[u8], start: Instant) {
    let mut texts = bytes.splitn(2, |byte| *byte == b'\n');
    let mut next = || serde_json::from_slice::<Value>(texts.next().unwrap_or_default()).ok();
    let (options, command) = (next(), next());
    let config = options.and_then(|options| configure(&options));
    let Some(command) = command.and_then(|json| serde_json::from_value::<Command>(json).ok())
    else {
        return;
    };
    let config = config.unwrap_or_else(|| {
        let usual = json!({
            "uri": "sip:alice@example.com",
            "password": "secret",
            "servers": "wss://pbx.example.com/ws",
        });
        Config::from_json(&usual).expect("they are good")
    });
    obey(config, command, start);
}

/// Judges options; what is wrong is named, and what may be a secret is not shown.
fn configure(options: &Value) -> Option<Config> {
    match Config::from_json(options) {
        Ok(config) => {
            assert!(!config.servers.is_empty(), "{config:?}");
            Some(config)
        }
        Err(error) => {
            let text = error.to_string();
            assert!(
                !text.is_empty() && text.len() < LONGEST_TEXT + error.option.len(),
                "{text}"
            );
            for name in ["password", "ha1", "accessToken"] {
                let secret = options.get(name).and_then(Value::as_str);
                let is_in = secret.is_some_and(|s| s.len() > 12 && text.contains(s));
                assert!(!is_in || text == told_of_another(options, name), "{text}");
            }
            None
        }
    }
}

/// What is said of the same options with another secret: a secret may happen to be words of ours.
fn told_of_another(options: &Value, name: &str) -> String {
    let mut options = options.clone();
    let secret: String = options[name]
        .as_str()
        .into_iter()
        .flat_map(|s| s.chars().rev())
        .collect();
    options[name] = secret.into();
    Config::from_json(&options).map_or_else(|error| error.to_string(), |_| String::new())
}

/// A phone that was given good options does what it is told, or says why not, and goes when it is told to.
fn obey(config: Config, command: Command, start: Instant) {
    let unix_time = Duration::from_secs(1_795_219_200);
    let mut phone = Phone::new(config, [9; 32], start, unix_time);
    phone.handle_command(Ticket(1), Command::Initialize {}, start);
    drain(&mut phone);
    let connection = Connection::Up {
        server: 0,
        transport: Transport::Wss,
        local: None,
    };
    phone.handle_connection(connection, start);
    drain(&mut phone);
    phone.handle_command(Ticket(2), command, start);
    drain(&mut phone);
    phone.handle_command(Ticket(3), Command::Destroy {}, start);
    drain(&mut phone);
    let end = start + Duration::from_secs(3);
    phone.handle_timeout(end);
    assert!(drain(&mut phone), "the phone does not close");
}

/// Whether it is over.
fn drain(phone: &mut Phone) -> bool {
    for _ in 0..10_000 {
        match phone.poll_output() {
            Output::Timeout(..) => return false,
            Output::Closed => return true,
            Output::Event(event) => {
                let _json = serde_json::to_string(&event).expect("plain data");
            }
            _output => {}
        }
    }
    panic!("poll_output never came to Timeout");
}
