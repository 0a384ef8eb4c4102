//! Folding events into a table's state, by the document's table of events.

use serde_json::{Value, json};

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn add(place: &mut Value, amount: &Value) {
    *place = json!(whole(place) + whole(amount));
}

fn take(place: &mut Value, amount: &Value) {
    let left = whole(place).checked_sub(whole(amount));
    *place = json!(left.unwrap_or_else(|| panic!("{amount} of {place}")));
}

/// Does what an event says.
pub(crate) fn apply(state: &mut Value, event: &Value) {
    let seat = event["seat"].as_u64().unwrap_or(0) as usize;
    let amount = &event["amount"];
    match event["e"].as_str().unwrap() {
        "seated" => {
            assert!(state["seats"][seat].is_null(), "{event}");
            state["seats"][seat] = json!({
                "user": event["user"], "name": event["name"], "bot": event["bot"], "stack": event["stack"], "bet": 0,
                "top_up": 0, "status": event["status"], "away": false, "bank_ms": event["bank_ms"],
                "in_hand": false, "folded": false, "shown": [],
            });
            add(&mut state["chips"]["bought"], &event["stack"]);
        }
        "left" => {
            assert_eq!(state["seats"][seat]["stack"], event["stack"], "{event}");
            state["seats"][seat] = Value::Null;
            add(&mut state["chips"]["cashed"], &event["stack"]);
        }
        "topped_up" => {
            add(&mut state["seats"][seat]["stack"], amount);
            add(&mut state["chips"]["bought"], amount);
            state["seats"][seat]["top_up"] = json!(0);
        }
        "top_up_promised" => add(&mut state["seats"][seat]["top_up"], amount),
        "top_up_lapsed" => state["seats"][seat]["top_up"] = json!(0),
        "status" => state["seats"][seat]["status"] = event["status"].clone(),
        "away" => state["seats"][seat]["away"] = event["away"].clone(),
        "hand_started" => {
            for (at, place) in state["seats"].as_array_mut().unwrap().iter_mut().enumerate() {
                if !place.is_null() {
                    place["in_hand"] = json!(event["seats"].as_array().unwrap().contains(&json!(at)));
                    place["folded"] = json!(false);
                    place["shown"] = json!([]);
                }
            }
            state["hand"] = json!({
                "hand": event["hand"], "button": event["button"], "street": "preflop", "hole_cards": 0,
                "boards": [[]], "pots": [], "turn": null, "ended": false, "runs": null,
            });
            state["next_ms"] = Value::Null;
        }
        "posted" => {
            take(&mut state["seats"][seat]["stack"], amount);
            match event["blind"].as_str().unwrap() {
                "ante" | "dead" => {
                    let pots = state["hand"]["pots"].as_array_mut().unwrap();
                    if pots.is_empty() {
                        pots.push(json!({"amount": 0, "seats": []}));
                    }
                    add(&mut pots[0]["amount"], amount);
                }
                "small" | "big" | "straddle" | "live" => add(&mut state["seats"][seat]["bet"], amount),
                other => panic!("{other}"),
            }
        }
        "dealt" => state["hand"]["hole_cards"] = event["cards"].clone(),
        "turn" => {
            let mut turn = event.clone();
            turn.as_object_mut().unwrap().remove("e");
            state["hand"]["turn"] = turn;
        }
        "bank" => {
            assert_eq!(state["hand"]["turn"]["seat"], event["seat"], "{event}");
            state["hand"]["turn"]["deadline_ms"] = event["deadline_ms"].clone();
        }
        "acted" => {
            state["hand"]["turn"] = Value::Null;
            let place = &mut state["seats"][seat];
            take(&mut place["stack"], amount);
            add(&mut place["bet"], amount);
            if event["kind"] == "fold" {
                place["folded"] = json!(true);
            }
            assert_eq!(place["bet"], event["to"], "{event}");
            assert_eq!(place["stack"] == 0, event["all_in"] == true, "{event}");
        }
        "returned" => {
            take(&mut state["seats"][seat]["bet"], amount);
            add(&mut state["seats"][seat]["stack"], amount);
        }
        "collected" => {
            for place in state["seats"].as_array_mut().unwrap().iter_mut().filter(|place| !place.is_null()) {
                place["bet"] = json!(0);
            }
            state["hand"]["pots"] = event["pots"].clone();
        }
        "configured" => state["config"] = event["config"].clone(),
        "runs_offered" => {
            state["hand"]["runs"] =
                json!({"max": event["max"], "seats": event["seats"], "deadline_ms": event["deadline_ms"]});
        }
        "runs_voted" => {
            let seats = state["hand"]["runs"]["seats"].as_array_mut().unwrap();
            seats.retain(|asked| *asked != event["seat"]);
        }
        "runs_agreed" => {
            let first = state["hand"]["boards"][0].clone();
            state["hand"]["runs"] = Value::Null;
            state["hand"]["boards"] = json!(vec![first; whole(&event["boards"]) as usize]);
        }
        "street" => {
            state["hand"]["street"] = event["street"].clone();
            let run = whole(&event["run"]) as usize;
            let boards = state["hand"]["boards"].as_array_mut().unwrap();
            if boards.len() == run {
                boards.push(json!([]));
            }
            boards[run].as_array_mut().unwrap().extend(event["cards"].as_array().unwrap().iter().cloned());
        }
        "shown" => state["seats"][seat]["shown"] = event["cards"].clone(),
        "mucked" => state["seats"][seat]["folded"] = json!(true),
        "raked" => {
            take(&mut state["hand"]["pots"][whole(&event["pot"]) as usize]["amount"], amount);
            add(&mut state["chips"]["raked"], amount);
        }
        "won" => {
            take(&mut state["hand"]["pots"][whole(&event["pot"]) as usize]["amount"], amount);
            add(&mut state["seats"][seat]["stack"], amount);
        }
        "hand_ended" => {
            assert_eq!(state["hand"]["hand"], event["hand"], "{event}");
            state["hand"]["ended"] = json!(true);
            state["hand"]["street"] = json!("showdown");
            state["hand"]["turn"] = Value::Null;
            state["hand"]["pots"].as_array_mut().unwrap().retain(|pot| pot["amount"] != 0);
            state["next_ms"] = event["next_ms"].clone();
        }
        "bank_left" => state["seats"][seat]["bank_ms"] = event["bank_ms"].clone(),
        "chat" | "history_lost" => {}
        // A later house may say more.
        _ => {}
    }
}

/// Whether the chips on the table are those that came and did not go.
pub(crate) fn adds_up(state: &Value) -> bool {
    let seats = state["seats"].as_array().unwrap().iter().filter(|seat| !seat.is_null());
    let held: u64 = seats.map(|seat| whole(&seat["stack"]) + whole(&seat["bet"])).sum();
    let pots = state["hand"]["pots"].as_array().into_iter().flatten();
    let potted: u64 = pots.map(|pot| whole(&pot["amount"])).sum();
    let chips = &state["chips"];
    held + potted == whole(&chips["bought"]) - whole(&chips["cashed"]) - whole(&chips["raked"])
}
