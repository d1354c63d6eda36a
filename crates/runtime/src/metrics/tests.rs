use std::time::{Duration, Instant};

use phone::{Config, Phone};

use super::*;

fn exhibit(address: &str) -> (Exhibit, Phone) {
    let options = serde_json::json!({ "uri": address, "servers": "wss://a.example.com" });
    let config = Config::from_json(&options).unwrap();
    let phone = Phone::new(
        config,
        [1; 32],
        Instant::now(),
        Duration::from_secs(1_795_219_200),
    );
    let exhibit = Exhibit::open(phone.config().address.to_string(), phone.standing());
    (exhibit, phone)
}

/// Lines of a page that are samples, as the format says: a name, labels, a number.
fn samples(page: &str) -> Vec<(&str, f64)> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name, value.parse().unwrap())
        })
        .collect()
}

fn value(page: &str, name: &str) -> f64 {
    let found = samples(page).into_iter().find(|(one, _)| *one == name);
    found.unwrap_or_else(|| panic!("{name} in\n{page}")).1
}

#[test]
fn a_page_of_a_phone_names_it_in_every_sample_and_each_family_once() {
    let (exhibit, phone) = exhibit("sip:a@example.com");
    exhibit.show(phone.standing(), 70, 3);
    let page = exhibit.showcase().page();
    assert!(
        samples(&page)
            .iter()
            .all(|(name, _)| name.contains("{phone=\"sip:a@example.com\""))
    );
    let queue = "offhook_event_queue_bytes{phone=\"sip:a@example.com\"}";
    assert_eq!(value(&page, queue), 70.0);
    let mut families: Vec<&str> = page.lines().filter(|l| l.starts_with("# TYPE")).collect();
    families.sort_unstable();
    let before = families.len();
    families.dedup();
    assert_eq!(families.len(), before);
}

#[test]
fn a_phone_that_was_not_connected_is_unreachable_and_one_that_has_ended_closed() {
    let (exhibit, _) = exhibit("sip:b@example.com");
    let showcase = Arc::clone(exhibit.showcase());
    assert_eq!(showcase.health().status, Readiness::Unreachable);
    let page = showcase.page();
    let state = |state| format!("offhook_phones{{phone=\"sip:b@example.com\",state=\"{state}\"}}");
    assert_eq!(value(&page, &state("unreachable")), 1.0);
    assert_eq!(value(&page, &state("ready")), 0.0);
    drop(exhibit);
    assert_eq!(showcase.health().status, Readiness::Closed);
}

#[test]
fn the_calls_of_a_phone_that_has_ended_count_on_for_the_process() {
    let refused = "offhook_calls_refused_total{code=\"699\"}";
    let (exhibit, phone) = exhibit("sip:c@example.com");
    let mut standing = phone.standing();
    Arc::make_mut(&mut standing.tally).refused.insert(699, 2);
    exhibit.show(standing, 0, 0);
    assert_eq!(value(&metrics(), refused), 2.0);
    let showcase = Arc::clone(exhibit.showcase());
    drop(exhibit);
    assert_eq!(value(&metrics(), refused), 2.0);
    assert!(value(&metrics(), "offhook_media_load_ratio") >= 0.0);
    assert!(
        !process()
            .phones
            .iter()
            .any(|one| Arc::ptr_eq(one, &showcase))
    );
}

#[test]
fn what_an_address_may_have_does_not_break_a_label() {
    let mut page = Page::labelled("phone", "a\"b\\c\nd");
    page.phones(&[]);
    let text = page.finish();
    assert!(text.contains(r#"offhook_load_ratio{phone="a\"b\\c\nd"} 0"#));
}
