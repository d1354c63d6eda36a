//! The matrix of troubles: every state of a call, and everything that happens to networks, servers and machines, over
//! each transport. In each cell the guarantees hold.
//!
//! `docs/reliability.md` shows what became of the calls; `scripts/reliability.mjs` writes it.

mod cells;
mod guarantees;
mod sound;
mod states;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use serde_json::json;

use cells::{State, Trouble, Way};
use world::{ALICE, BOB, Manners, World};

/// How often each cell is tried, at other moments, with other draws and over each transport in turn.
const ROUNDS: u64 = Way::ALL.len() as u64;
/// Longer than any timer that a trouble starts, but a transfer's: 190 s without a report.
const SETTLED: Duration = Duration::from_secs(240);
const MOMENT: Duration = Duration::from_secs(4);

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reliability.md");
const BEGIN: &str = "<!-- virtual:begin -->\n";
const END: &str = "<!-- virtual:end -->";

/// Runs one cell once; tells what became of Alice's calls, and what was broken.
fn run(state: State, trouble: Trouble, way: Way, round: u64) -> (String, Vec<String>) {
    let mut world = World::new(way, round * 1000 + state as u64 * 16 + trouble as u64);
    world.reach(state, round);
    world.strike(trouble);
    world.advance(trouble.lasts());
    world.heal(trouble);
    world.advance(SETTLED);
    let (became, mut broken) = became(&world, state, trouble);
    broken.extend(hang_up(&mut world));
    broken.extend(call_again(&mut world));
    broken.extend(leave(&mut world));
    (became, broken)
}

/// What each of Alice's calls has come to, and who is left alone in one.
fn became(world: &World, state: State, trouble: Trouble) -> (String, Vec<String>) {
    let mut broken = Vec::new();
    let mut became = BTreeSet::new();
    for story in guarantees::stories(&world.rigs[ALICE]) {
        became.insert(match &story.condition {
            Some(condition) => format!("ends: {condition}"),
            None => GOES_ON.to_owned(),
        });
        if story.is_open() && !story.is_well() {
            broken.push(format!("sound is not back: {story:?}"));
        }
        if !story.is_open() && state.is_answered() && trouble.is_survived() {
            let others = world.rigs[BOB].count("terminated");
            let other = (others > 0).then(|| world.rigs[BOB].last("terminated")["reason"].clone());
            broken.push(format!("7: it ended: {story:?}; there: {other:?}"));
        }
    }
    let open = world.rigs.iter().flat_map(guarantees::stories);
    let open: Vec<_> = open.filter(guarantees::Story::is_open).collect();
    for story in &open {
        let ends = open.iter().filter(|other| other.call_id == story.call_id);
        if story.has_started() && ends.count() != 2 {
            broken.push(format!("somebody is alone in a call: {story:?}"));
        }
    }
    for (who, rig) in world.rigs.iter().enumerate() {
        let unsettled = rig.unsettled();
        if !unsettled.is_empty() {
            broken.push(format!("5: {who} waits for {unsettled:?}"));
        }
    }
    (became.into_iter().collect::<Vec<_>>().join(", "), broken)
}

/// Everybody ends every call; Alice first.
fn hang_up(world: &mut World) -> Vec<String> {
    for who in 0..world.rigs.len() {
        for id in world.rigs[who].open_sessions() {
            world.command(who, json!({ "type": "end", "id": id }));
        }
        world.advance(MOMENT);
    }
    world.advance(Duration::from_secs(70));
    let open = world.rigs.iter().flat_map(guarantees::stories);
    open.filter(guarantees::Story::is_open)
        .map(|story| format!("it can't be ended: {story:?}"))
        .collect()
}

/// The next calls work, both ways.
fn call_again(world: &mut World) -> Vec<String> {
    let mut broken = Vec::new();
    for (from, to, target) in [(ALICE, BOB, "bob"), (BOB, ALICE, "alice")] {
        world.manners(to, Manners::Answers(Duration::from_millis(100)));
        world.call(from, target);
        world.advance(MOMENT);
        let ends = [from, to].map(|who| guarantees::stories(&world.rigs[who]).pop());
        if !ends
            .iter()
            .flatten()
            .all(|story| story.is_open() && story.is_well())
        {
            broken.push(format!("the next call to {target} fails: {ends:?}"));
        }
        for id in world.rigs[to].open_sessions() {
            world.command(to, json!({ "type": "end", "id": id }));
        }
        world.advance(MOMENT);
    }
    broken
}

/// Everybody goes, and has kept what was promised.
fn leave(world: &mut World) -> Vec<String> {
    // Longer than any transaction: what is kept of an ended call is forgotten by then.
    world.advance(Duration::from_secs(70));
    for who in 0..world.rigs.len() {
        world.command(who, json!({ "type": "destroy" }));
    }
    world.advance(Duration::from_secs(4));
    let mut broken = Vec::new();
    for (who, rig) in world.rigs.iter().enumerate() {
        let mut all = guarantees::broken(rig);
        all.extend(guarantees::answered_unheard(rig));
        let given = world.rig_commands.iter().filter(|(by, ..)| *by == who);
        all.extend(
            given.filter_map(|(_, ticket, command)| guarantees::misplaced(rig, ticket.0, command)),
        );
        broken.extend(all.into_iter().map(|what| format!("{who}: {what}")));
    }
    broken
}

/// One line of the page.
struct Row {
    state: State,
    /// What became of the calls, or why there is nothing to see.
    became: BTreeSet<String>,
    broken: Vec<String>,
}

fn row(trouble: Trouble, state: State) -> Row {
    let mut became = BTreeSet::new();
    let mut broken = Vec::new();
    if let Some(why) = trouble.is_void_for(state) {
        let became = [format!("– ({why})")].into();
        return Row {
            state,
            became,
            broken,
        };
    }
    for round in 0..ROUNDS {
        let way = Way::ALL[round as usize % Way::ALL.len()];
        let (what, wrong) = run(state, trouble, way, round);
        became.insert(what);
        let at = format!("{trouble:?}, {state:?}, {way:?}, round {round}");
        broken.extend(wrong.into_iter().map(|wrong| format!("{at}: {wrong}")));
    }
    Row {
        state,
        became,
        broken,
    }
}

/// The part of the page about one trouble.
fn part(trouble: Trouble, rows: &[Row]) -> String {
    let mut text = format!("\n### {}\n\n", trouble.title());
    text.push_str("| the call | what became of it |\n|---|---|\n");
    for row in rows {
        let is_void = row.became.iter().any(|outcome| outcome.starts_with('–'));
        let tick = if is_void { "" } else { "✓ " };
        let became = Vec::from_iter(row.became.iter().map(String::as_str)).join(OR);
        let _ = writeln!(text, "| {} | {tick}{became} |", row.state.title());
    }
    text
}

const GOES_ON: &str = "goes on";
/// Between two outcomes of one cell.
const OR: &str = "; or ";

/// The ends that a part of the page shows, by the call's state.
fn ends(part: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let rows = part.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split_once(" | "))
        .map(|(state, cell)| {
            let cell = cell.trim_end_matches(" |").trim_start_matches("✓ ");
            let each = cell.split(OR).flat_map(|outcome| outcome.split(", "));
            (state, each.filter(|one| *one != GOES_ON).collect())
        })
        .collect()
}

/// Runs a trouble through every state, and compares what became of it with the page, or writes it there.
fn holds_in(trouble: Trouble) {
    let rows: Vec<Row> = State::ALL.map(|state| row(trouble, state)).into();
    let broken: Vec<&String> = rows.iter().flat_map(|row| &row.broken).collect();
    assert!(broken.is_empty(), "{} broken:\n{broken:#?}", broken.len());
    let fresh = part(trouble, &rows);
    let page = std::fs::read_to_string(PAGE).expect("the page is there");
    let (_, rest) = page.split_once(BEGIN).expect("the page has a place for it");
    let (shown, _) = rest.split_once(END).expect("and that ends");
    let title = format!("\n### {}\n", trouble.title());
    let from = shown.find(&title);
    let shown = from.map(|from| {
        let rest = &shown[from..];
        let end = rest[1..].find("\n### ").map_or(rest.len(), |at| at + 1);
        &rest[..end]
    });
    if std::env::var_os("WRITE_PAGE").is_some() {
        let page = match shown {
            Some(shown) => page.replace(shown, &fresh),
            None => page.replace(END, &format!("{fresh}{END}")),
        };
        return std::fs::write(PAGE, page).expect("the page can be written");
    }
    // What becomes of a call may depend on the moment and on what is drawn. But no call ends in a way that the page does not
    // show, and where it shows none, none ends.
    let shown = shown.map(ends).unwrap_or_default();
    let fresh = ends(&fresh);
    let states =
        |part: &BTreeMap<&str, _>| part.keys().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        states(&shown),
        states(&fresh),
        "run node scripts/reliability.mjs"
    );
    let others: Vec<String> = fresh
        .iter()
        .filter(|(state, ends)| !ends.is_subset(&shown[*state]))
        .map(|(state, ends)| format!("{state}: {ends:?}, and the page says {:?}", shown[state]))
        .collect();
    assert!(
        others.is_empty(),
        "run node scripts/reliability.mjs if that is right:\n{others:#?}"
    );
}

macro_rules! troubles {
    ($($name:ident: $trouble:ident,)*) => {
        $(#[test]
        fn $name() {
            holds_in(Trouble::$trouble);
        })*
    };
}

troubles! {
    a_reset_socket: SocketDrop,
    a_socket_that_dies_without_a_word: HalfOpen,
    a_server_that_restarts: ServerRestart,
    a_server_that_freezes: Freeze,
    lost_packets: Loss,
    a_server_that_loses_messages: Forgotten,
    messages_out_of_order: Reordering,
    messages_that_come_twice: Duplication,
    another_address: AddressChange,
    a_turn_server_that_dies: TurnDeath,
    a_short_sleep: ShortSleep,
    a_long_sleep: LongSleep,
    a_clock_that_leaps: ClockJump,
    blocked_javascript: JavaScriptBlocked,
}
