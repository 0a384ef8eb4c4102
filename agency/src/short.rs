//! What is pushed and called with a short stack, and what the best answer to that gains.

use std::io::{self, Write};

use strategies::{
    combo::{CLASSES, class_name},
    push_fold::{
        SHORT,
        heads_up::{Game, Ranges, share},
        ring::Ring,
    },
};

/// Stacks whose games are told, big blinds.
const STACKS: [f64; 8] = [1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 12.0, SHORT];

/// Thousandths of a big blind.
const MILLI: f64 = 1_000.0;

/// A table over stacks heads-up, and a sit & go with two prizes.
pub(crate) fn tell(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "| big blinds | pushes | calls | the small blind wins, mbb/h | the best answer gains, mbb/h |"
    )?;
    writeln!(out, "| --- | --- | --- | --- | --- |")?;
    for stack in STACKS {
        let game = Game::of_blinds(stack);
        let ranges = game.solve();
        let (push, call) = (100.0 * share(&ranges.push), 100.0 * share(&ranges.call));
        let (value, gain) = (MILLI * game.value(&ranges), MILLI * game.exploitability(&ranges));
        writeln!(out, "| {stack} | {push:.1} % | {call:.1} % | {value:+.1} | {gain:.2} |")?;
    }
    let stacks = vec![1_000.0, 800.0, 1_500.0, 700.0, 1_200.0, 800.0];
    let posted = vec![0.0, 0.0, 0.0, 0.0, 50.0, 100.0];
    let ring = Ring { stacks, posted, antes: 0.0, prizes: vec![65.0, 35.0] };
    let solved = ring.solve();
    let shares: Vec<String> =
        solved.push.iter().map(|push| format!("{:.0} %", 100.0 * share(push))).collect();
    writeln!(out)?;
    writeln!(
        out,
        "Six players, prizes of 65 and 35: {} push in turn; {:.4} % of all prizes are left to gain.",
        shares.join(", "),
        100.0 * ring.gain(&solved)
    )
}

/// Hands that are pushed and called with so many big blinds, by their names.
pub(crate) fn tell_ranges(stack: f64, out: &mut dyn Write) -> io::Result<()> {
    let Ranges { push, call } = Game::of_blinds(stack).solve();
    for (what, range) in [("pushes", push), ("calls", call)] {
        let often = |class: usize| match range[class] {
            often if often > 0.99 => Some(class_name(class)),
            often if often > 0.01 => Some(format!("{}:{often:.2}", class_name(class))),
            _ => None,
        };
        let hands: Vec<String> = (0..CLASSES).filter_map(often).collect();
        writeln!(out, "{what} {:.1} %: {}", 100.0 * share(&range), hands.join(" "))?;
    }
    Ok(())
}
