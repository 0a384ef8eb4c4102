//! The table on screens of all sizes: nothing lies on anything else, sticks out, or is too small to hit.

use crate::{
    made_up::{resize, table, table_in},
    window::Window,
};

/// Phones and their other way round, windows of laptops with and without zoom, screens; and where one shape of the page gives way to
/// the next.
const SIZES: [(u32, u32); 24] = [
    (320, 568),
    (568, 320),
    (360, 640),
    (640, 360),
    (375, 667),
    (667, 375),
    (390, 844),
    (844, 390),
    (430, 932),
    (932, 430),
    (720, 450),
    (600, 960),
    (960, 600),
    (768, 1024),
    (1024, 768),
    (1000, 561),
    (1001, 700),
    (1260, 561),
    (1366, 650),
    (1440, 900),
    (1920, 1080),
    (1080, 1920),
    (2560, 1440),
    (1440, 2560),
];

/// Where words in another language may need another room: the smallest and the largest of each shape.
const SIZES_IN_KOREAN: [(u32, u32); 10] = [
    (320, 568),
    (568, 320),
    (360, 640),
    (390, 844),
    (844, 390),
    (720, 450),
    (768, 1024),
    (1366, 650),
    (1440, 900),
    (2560, 1440),
];

/// Shows all numbers of seats with few and many cards, and tables of 6 to 10 in all other scenes; answers what is wrong.
const WALK: &str = r"
    const wrong = [];
    const look = (name, scene, wish) => {
        fakeHouse.show(scenes[scene](wish));
        const drawn = document.querySelectorAll('.seat').length === wish.seats
            && (scene.startsWith('betting') ? document.querySelector('.bet:not([hidden])') : document.querySelector('.result').textContent);
        if (!drawn) wrong.push(`${name}, ${wish.seats} seats: not drawn`);
        for (const what of overlaps()) wrong.push(`${name}, ${wish.seats} seats, ${wish.holeCards} cards: ${what}`);
    };
    for (let seats = 2; seats <= 10; seats += 1) {
        for (const holeCards of [2, 6]) {
            look('my turn', 'betting', { seats, holeCards });
            look('showdown', 'showdown', { seats, holeCards });
        }
    }
    for (const holeCards of [2, 3, 4, 5, 6]) {
        const seats = 4 + holeCards;
        look('another\'s turn', 'betting', { seats, holeCards, turn: 1 });
        look('before my turn', 'betting', { seats, holeCards, turn: 1, waits: true });
        look('watching', 'betting', { seats, holeCards, mine: null, turn: 1 });
        look('run twice', 'showdown', { seats, holeCards, runs: 2 });
        look('run three times', 'showdown', { seats, holeCards, runs: 3 });
        look('all share', 'showdown', { seats, holeCards, winners: seats });
        look('alone', 'alone', { seats, holeCards });
    }
    for (const seats of [3, 9]) {
        look('in millions', 'bettingMillions', { seats });
        look('in millions, before my turn', 'bettingMillions', { seats, turn: 1, waits: true });
        look('in millions, all share', 'showdownMillions', { seats, winners: seats });
    }
    return wrong;
";

/// The felt's box with the bar, without it, and with it again.
const FELTS: &str = r"
    return [1, 0, 1].map((turn) => {
        fakeHouse.show(scenes.betting({ seats: 6, turn }));
        const { x, y, width, height } = document.querySelector('.felt').getBoundingClientRect();
        return [x, y, width, height].join(' ');
    });
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_lies_on_anything_else_whatever_the_screen_the_seats_and_the_cards() {
    let (window, _house) = table().await;
    for (width, height) in SIZES {
        resize(&window, width, height).await;
        assert_eq!(wrong(&window, WALK).await, [""; 0], "at {width} by {height}");
        let felts = wrong(&window, FELTS).await;
        assert!(
            felts.iter().all(|felt| *felt == felts[0]),
            "the felt moves at {width} by {height}: {felts:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_lies_on_anything_else_in_korean_either() {
    let (window, _house) = table_in("ko-KR").await;
    for (width, height) in SIZES_IN_KOREAN {
        resize(&window, width, height).await;
        assert_eq!(wrong(&window, WALK).await, [""; 0], "at {width} by {height}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_of_layouts_sees_what_is_wrong() {
    let (window, _house) = table().await;
    resize(&window, 844, 390).await;
    let plants = [
        (".bet:not([hidden])", "transform: none", "off the felt"),
        (".middle", "top: 90%", "lies on"),
        ("[type=range]", "width: 13px", "the slider is 13 wide"),
        (".action-fold", "height: 20px", "by 20"),
        (".seat.mine", "left: 100%", "sticks out of the page"),
    ];
    for (css, style, seen) in plants {
        let script = format!(
            "fakeHouse.show(scenes.betting({{ seats: 6 }}));
             const it = document.querySelector('{css}'); const was = it.style.cssText;
             const before = overlaps(); it.style.cssText += ';{style}'; const after = overlaps();
             it.style.cssText = was;
             return [before.join(', '), after.join(', ')];"
        );
        let told = wrong(&window, &script).await;
        assert_eq!(told[0], "", "before {css}");
        assert!(told[1].contains(seen), "{css} {{ {style} }}: {}", told[1]);
    }
}

/// What a script answers: sentences.
async fn wrong(window: &Window, script: &str) -> Vec<String> {
    let told = window.ask(script).await;
    told.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}
