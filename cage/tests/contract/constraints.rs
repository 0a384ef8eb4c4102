//! Each constraint and each trigger, with a statement that tries to break it and one that differs in what matters and is allowed: a judge
//! that refuses everything would be none.

use cage::DbError;

use crate::setup::{Cage, NOW};

/// What is to be refused, and what is allowed.
struct Case {
    what: &'static str,
    breaks: &'static str,
    keeps: &'static str,
}

const CASES: &[Case] = &[
    Case {
        what: "an id is given once",
        breaks: "INSERT INTO person (id, kind, nick, created_ms, seen_ms) VALUES ('g-gus', 'guest', 'x', 1, 1)",
        keeps: "INSERT INTO person (id, kind, nick, created_ms, seen_ms) VALUES ('g-new', 'guest', 'x', 1, 1)",
    },
    Case {
        what: "an id is a name of the wire",
        breaks: "INSERT INTO person (id, kind, nick, created_ms, seen_ms) VALUES ('', 'guest', 'x', 1, 1)",
        keeps: "INSERT INTO person (id, kind, nick, created_ms, seen_ms) VALUES ('g', 'guest', 'x', 1, 1)",
    },
    Case {
        what: "there are guests and members",
        breaks: "INSERT INTO person (id, kind, nick, created_ms, seen_ms) VALUES ('g-new', 'king', 'x', 1, 1)",
        keeps: "INSERT INTO person (id, kind, nick, created_ms, seen_ms) VALUES ('g-new', 'guest', 'x', 1, 1)",
    },
    Case {
        what: "everybody is called something",
        breaks: "UPDATE person SET nick = '' WHERE id = 'g-gus'",
        keeps: "UPDATE person SET nick = 'G' WHERE id = 'g-gus'",
    },
    Case {
        what: "a person is active or gone",
        breaks: "UPDATE person SET status = 'asleep' WHERE id = 'g-gus'",
        keeps: "UPDATE person SET status = 'gone' WHERE id = 'g-gus'",
    },
    Case {
        what: "a guest has no handle",
        breaks: "UPDATE person SET handle = 'gus' WHERE id = 'g-gus'",
        keeps: "UPDATE person SET handle = 'ann2' WHERE id = 'u-ann'",
    },
    Case {
        what: "a guest has no password",
        breaks: "UPDATE person SET password = '$argon2id$x' WHERE id = 'g-gus'",
        keeps: "UPDATE person SET password = '$argon2id$x' WHERE id = 'u-ann'",
    },
    Case {
        what: "a guest has no roles",
        breaks: "UPDATE person SET roles = 1 WHERE id = 'g-gus'",
        keeps: "UPDATE person SET roles = 1 WHERE id = 'u-ann'",
    },
    Case {
        what: "a member has a handle and a nick of his own",
        breaks: "UPDATE person SET nick_skeleton = NULL WHERE id = 'u-ann'",
        keeps: "UPDATE person SET nick_skeleton = 'other' WHERE id = 'u-ann'",
    },
    Case {
        what: "a handle is one person's",
        breaks: "UPDATE person SET handle = 'bob' WHERE id = 'u-ann'",
        keeps: "UPDATE person SET handle = 'bob2' WHERE id = 'u-ann'",
    },
    Case {
        what: "a handle is in small letters",
        breaks: "UPDATE person SET handle = 'Ann' WHERE id = 'u-ann'",
        keeps: "UPDATE person SET handle = 'ann' WHERE id = 'u-ann'",
    },
    Case {
        what: "a nick is one person's, by its skeleton",
        breaks: "UPDATE person SET nick_skeleton = (SELECT nick_skeleton FROM person WHERE id = 'u-bob') WHERE id = 'u-ann'",
        keeps: "UPDATE person SET nick_skeleton = 'x' WHERE id = 'u-ann'",
    },
    Case {
        what: "a nick is one person's, by its shape",
        breaks: "UPDATE person SET nick_shape = (SELECT nick_shape FROM person WHERE id = 'u-bob') WHERE id = 'u-ann'",
        keeps: "UPDATE person SET nick_shape = 'x' WHERE id = 'u-ann'",
    },
    Case {
        what: "a password is a hash by argon2id",
        breaks: "UPDATE person SET password = 'hunter22' WHERE id = 'u-ann'",
        keeps: "UPDATE person SET password = NULL WHERE id = 'u-ann'",
    },
    Case {
        what: "roles are bits",
        breaks: "UPDATE person SET roles = -1 WHERE id = 'u-ann'",
        keeps: "UPDATE person SET roles = 31 WHERE id = 'u-ann'",
    },
    Case {
        what: "who is gone has nothing left",
        breaks: "UPDATE person SET status = 'gone' WHERE id = 'u-ann'",
        keeps: "UPDATE person SET status = 'gone', handle = NULL, password = NULL, nick_skeleton = NULL, nick_shape = NULL, roles = 0 \
                WHERE id = 'u-ann'",
    },
    Case {
        what: "nobody comes back from the dead",
        breaks: "UPDATE person SET status = 'active' WHERE id = 'g-gone'",
        keeps: "UPDATE person SET seen_ms = 2 WHERE id = 'g-gone'",
    },
    Case {
        what: "a person is never forgotten",
        breaks: "DELETE FROM person WHERE id = 'g-alone'",
        keeps: "UPDATE person SET seen_ms = 2 WHERE id = 'g-alone'",
    },
    Case {
        what: "an id never changes",
        breaks: "UPDATE person SET id = 'g-else' WHERE id = 'g-alone'",
        keeps: "UPDATE person SET nick = 'else' WHERE id = 'g-alone'",
    },
    Case {
        what: "a member does not become a guest",
        breaks: "UPDATE person SET kind = 'guest', handle = NULL, password = NULL, nick_skeleton = NULL WHERE id = 'u-ann'",
        keeps: "UPDATE person SET password = NULL WHERE id = 'u-ann'",
    },
    Case {
        what: "void tokens stay void",
        breaks: "UPDATE person SET tokens_from_ms = 9 WHERE id = 'u-ann'",
        keeps: "UPDATE person SET tokens_from_ms = 11 WHERE id = 'u-ann'",
    },
    Case {
        what: "a login is somebody's",
        breaks: "UPDATE login SET person = 'g-nobody' WHERE public_id = 'l-1'",
        keeps: "UPDATE login SET agent = 'x' WHERE public_id = 'l-1'",
    },
    Case {
        what: "a login's name is its own",
        breaks: "INSERT INTO login (id, public_id, person, how, rotated_ms, created_ms, expires_ms, network, agent) \
                 SELECT substr(subject, 1, 16), 'l-1', 'u-ann', 'guest', 1, 1, 2, '', '' FROM attempt",
        keeps: "INSERT INTO login (id, public_id, person, how, rotated_ms, created_ms, expires_ms, network, agent) \
                SELECT substr(subject, 1, 16), 'l-9', 'u-ann', 'guest', 1, 1, 2, '', '' FROM attempt",
    },
    Case {
        what: "a login begins in a known way",
        breaks: "UPDATE login SET how = 'magic' WHERE public_id = 'l-1'",
        keeps: "UPDATE login SET how = 'recovery' WHERE public_id = 'l-1'",
    },
    Case {
        what: "a generation never comes again",
        breaks: "UPDATE login SET generation = 2 WHERE public_id = 'l-1'",
        keeps: "UPDATE login SET generation = 4 WHERE public_id = 'l-1'",
    },
    Case {
        what: "a login ends for a reason",
        breaks: "UPDATE login SET ended_ms = 1 WHERE public_id = 'l-1'",
        keeps: "UPDATE login SET ended_ms = 1, ended_why = 'staff' WHERE public_id = 'l-1'",
    },
    Case {
        what: "for one that is known",
        breaks: "UPDATE login SET ended_ms = 1, ended_why = 'boredom' WHERE public_id = 'l-1'",
        keeps: "UPDATE login SET ended_ms = 1, ended_why = 'gone' WHERE public_id = 'l-1'",
    },
    Case {
        what: "a login that has ended does not go on",
        breaks: "UPDATE login SET ended_ms = NULL, ended_why = NULL WHERE public_id = 'l-2'",
        keeps: "UPDATE login SET agent = '' WHERE public_id = 'l-2'",
    },
    Case {
        what: "nor does it rotate",
        breaks: "UPDATE login SET generation = 9 WHERE public_id = 'l-2'",
        keeps: "UPDATE login SET network = '' WHERE public_id = 'l-2'",
    },
    Case {
        what: "an attempt counts something",
        breaks: "UPDATE attempt SET failures = 0",
        keeps: "UPDATE attempt SET failures = 2",
    },
    Case {
        what: "a device is known or not",
        breaks: "UPDATE attempt SET trusted = 2",
        keeps: "UPDATE attempt SET trusted = 1",
    },
    Case {
        what: "a link is for what is known",
        breaks: "UPDATE one_time SET purpose = 'fun' WHERE used_ms IS NULL",
        keeps: "UPDATE one_time SET expires_ms = 9 WHERE used_ms IS NULL",
    },
    Case {
        what: "a link works once",
        breaks: "UPDATE one_time SET used_ms = NULL WHERE used_ms IS NOT NULL",
        keeps: "UPDATE one_time SET used_ms = 3 WHERE used_ms IS NULL",
    },
    Case {
        what: "a sanction has a reason",
        breaks: "INSERT INTO sanction (id, person, kind, from_ms, reason, by_whom) VALUES ('s-9', 'u-ann', 'mute', 1, 'no', 'u-bob')",
        keeps: "INSERT INTO sanction (id, person, kind, from_ms, reason, by_whom) VALUES ('s-9', 'u-ann', 'mute', 1, 'nos', 'u-bob')",
    },
    Case {
        what: "and is of a known kind",
        breaks: "INSERT INTO sanction (id, person, kind, from_ms, reason, by_whom) VALUES ('s-9', 'u-ann', 'tickle', 1, 'why', 'u-bob')",
        keeps: "INSERT INTO sanction (id, person, kind, from_ms, reason, by_whom) VALUES ('s-9', 'u-ann', 'ban', 1, 'why', 'u-bob')",
    },
    Case {
        what: "and by somebody",
        breaks: "INSERT INTO sanction (id, person, kind, from_ms, reason, by_whom) VALUES ('s-9', 'u-ann', 'ban', 1, 'why', 'u-nobody')",
        keeps: "INSERT INTO sanction (id, person, kind, from_ms, reason, by_whom) VALUES ('s-9', 'u-ann', 'ban', 1, 'why', 'u-ann')",
    },
    Case {
        what: "and ends after it begins",
        breaks: "INSERT INTO sanction (id, person, kind, from_ms, until_ms, reason, by_whom) \
                 VALUES ('s-9', 'u-ann', 'ban', 2, 2, 'why', 'u-bob')",
        keeps: "INSERT INTO sanction (id, person, kind, from_ms, until_ms, reason, by_whom) \
                VALUES ('s-9', 'u-ann', 'ban', 2, 3, 'why', 'u-bob')",
    },
    Case {
        what: "who lifts it says who he is",
        breaks: "UPDATE sanction SET lifted_ms = 1 WHERE id = 's-mute'",
        keeps: "UPDATE sanction SET lifted_ms = 1, lifted_by = 'u-bob' WHERE id = 's-mute'",
    },
    Case {
        what: "a self-exclusion is not lifted",
        breaks: "UPDATE sanction SET lifted_ms = 1, lifted_by = 'u-ann' WHERE id = 's-self'",
        keeps: "UPDATE sanction SET lifted_ms = 1, lifted_by = 'u-ann' WHERE id = 's-mute'",
    },
    Case {
        what: "nor shortened",
        breaks: "UPDATE sanction SET until_ms = 5 WHERE id = 's-self'",
        keeps: "UPDATE sanction SET until_ms = 10 WHERE id = 's-self'",
    },
    Case {
        what: "nor forgotten",
        breaks: "DELETE FROM sanction WHERE id = 's-self'",
        keeps: "DELETE FROM attempt",
    },
    Case {
        what: "a subject is one person's",
        breaks: "INSERT INTO identity (id, issuer, subject, person, created_ms, used_ms) VALUES ('i-9', 'https://a', '1', 'u-bob', 1, 1)",
        keeps: "INSERT INTO identity (id, issuer, subject, person, created_ms, used_ms) VALUES ('i-9', 'https://a', '2', 'u-bob', 1, 1)",
    },
    Case {
        what: "a person has one subject of an issuer",
        breaks: "INSERT INTO identity (id, issuer, subject, person, created_ms, used_ms) VALUES ('i-9', 'https://a', '2', 'u-ann', 1, 1)",
        keeps: "INSERT INTO identity (id, issuer, subject, person, created_ms, used_ms) VALUES ('i-9', 'https://b', '2', 'u-ann', 1, 1)",
    },
    Case {
        what: "an identity is a member's",
        breaks: "INSERT INTO identity (id, issuer, subject, person, created_ms, used_ms) VALUES ('i-9', 'https://b', '2', 'g-gus', 1, 1)",
        keeps: "INSERT INTO identity (id, issuer, subject, person, created_ms, used_ms) VALUES ('i-9', 'https://b', '2', 'u-bob', 1, 1)",
    },
    Case {
        what: "and stays his",
        breaks: "UPDATE identity SET person = 'u-bob'",
        keeps: "UPDATE identity SET used_ms = 9",
    },
    Case {
        what: "and the same subject",
        breaks: "UPDATE identity SET subject = '2'",
        keeps: "UPDATE identity SET subject = '1'",
    },
    Case {
        what: "a subject is one",
        breaks: "INSERT INTO identity (id, issuer, subject, person, created_ms, used_ms) VALUES ('i-9', 'https://b', '', 'u-bob', 1, 1)",
        keeps: "INSERT INTO identity (id, issuer, subject, person, created_ms, used_ms) VALUES ('i-9', 'https://b', '0', 'u-bob', 1, 1)",
    },
    Case {
        what: "an address is in small letters",
        breaks: "UPDATE identity SET email = 'Ann@x.example'",
        keeps: "UPDATE identity SET email = 'ann@x.example'",
    },
    Case {
        what: "nobody goes to link something",
        breaks: "UPDATE visit SET person = NULL, login = NULL WHERE used_ms IS NULL",
        keeps: "UPDATE visit SET person = NULL, login = NULL, purpose = 'sign_in' WHERE used_ms IS NULL",
    },
    Case {
        what: "who goes has a login",
        breaks: "UPDATE visit SET login = NULL WHERE used_ms IS NULL",
        keeps: "UPDATE visit SET login = 'l-2' WHERE used_ms IS NULL",
    },
    Case {
        what: "a visit is for what is known",
        breaks: "UPDATE visit SET purpose = 'fun' WHERE used_ms IS NULL",
        keeps: "UPDATE visit SET purpose = 'sign_in' WHERE used_ms IS NULL",
    },
    Case {
        what: "a visit ends once",
        breaks: "UPDATE visit SET used_ms = NULL WHERE used_ms IS NOT NULL",
        keeps: "UPDATE visit SET used_ms = 3 WHERE used_ms IS NULL",
    },
    Case {
        what: "somebody arrives once",
        breaks: "UPDATE arrival SET used_ms = NULL WHERE used_ms IS NOT NULL",
        keeps: "UPDATE arrival SET used_ms = 3 WHERE used_ms IS NULL",
    },
    Case {
        what: "a guest who arrives has a login",
        breaks: "UPDATE arrival SET person = 'g-gus' WHERE used_ms IS NULL",
        keeps: "UPDATE arrival SET person = 'g-gus', login = 'l-1' WHERE used_ms IS NULL",
    },
    Case {
        what: "a login begins elsewhere, too",
        breaks: "UPDATE login SET how = 'saml' WHERE public_id = 'l-1'",
        keeps: "UPDATE login SET how = 'oidc' WHERE public_id = 'l-1'",
    },
    Case {
        what: "nobody reports himself",
        breaks: "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ('r-9', 'u-ann', 'u-ann', 't1', 'name', '', 1)",
        keeps: "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ('r-9', 'u-ann', 'g-gus', 't1', 'name', '', 1)",
    },
    Case {
        what: "a report is of a known kind",
        breaks: "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ('r-9', 'u-ann', 'g-gus', 't1', 'mood', '', 1)",
        keeps: "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ('r-9', 'u-ann', 'g-gus', 't1', 'slow_play', '', 1)",
    },
    Case {
        what: "and about somebody",
        breaks: "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ('r-9', 'u-ann', 'g-nobody', 't1', 'name', '', 1)",
        keeps: "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ('r-9', 'u-ann', 'g-gus', 't1', 'other', '', 1)",
    },
    Case {
        what: "one is open in a room",
        breaks: "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ('r-9', 'u-ann', 'u-bob', 't1', 'name', '', 1)",
        keeps: "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ('r-9', 'u-ann', 'u-bob', 't2', 'name', '', 1)",
    },
    Case {
        what: "it is closed by somebody who says why",
        breaks: "UPDATE report SET closed_ms = 2, closed_by = 'u-bob' WHERE id = 'r-1'",
        keeps: "UPDATE report SET closed_ms = 2, closed_by = 'u-bob', closed_why = 'seen' WHERE id = 'r-1'",
    },
    Case {
        what: "and stays closed",
        breaks: "UPDATE report SET closed_ms = NULL, closed_by = NULL, closed_why = NULL WHERE id = 'r-2'",
        keeps: "UPDATE report SET words = '' WHERE id = 'r-2'",
    },
    Case {
        what: "its words are forgotten, and not others",
        breaks: "UPDATE report SET words = 'other' WHERE id = 'r-1'",
        keeps: "UPDATE report SET words = '' WHERE id = 'r-1'",
    },
    Case {
        what: "and it is closed before it is forgotten",
        breaks: "DELETE FROM report WHERE id = 'r-1'",
        keeps: "DELETE FROM report WHERE id = 'r-2'",
    },
    Case {
        what: "the audit does not change",
        breaks: "UPDATE audit SET detail = 'x' WHERE seq = 1",
        keeps: "SELECT detail FROM audit WHERE seq = 1",
    },
    Case {
        what: "nor lose an entry",
        breaks: "DELETE FROM audit WHERE seq = 1",
        keeps: "SELECT seq FROM audit WHERE seq = 1",
    },
    Case {
        what: "its end does not go back",
        breaks: "UPDATE audit_head SET seq = 0",
        keeps: "UPDATE audit_head SET seq = 2",
    },
    Case {
        what: "and there is one",
        breaks: "INSERT INTO audit_head (one, seq, hash) SELECT 2, seq, hash FROM audit_head",
        keeps: "UPDATE audit_head SET seq = 3",
    },
    Case { what: "and it stays", breaks: "DELETE FROM audit_head", keeps: "UPDATE audit_head SET seq = 4" },
    Case {
        what: "a limit of play time is some minutes of a day",
        breaks: "UPDATE play_time SET minutes = 14 WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET minutes = 15 WHERE person = 'u-ann'",
    },
    Case {
        what: "a looser limit waits",
        breaks: "UPDATE play_time SET minutes = 61, next_minutes = NULL, asked_ms = NULL, next_from_ms = NULL WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET minutes = 59 WHERE person = 'u-ann'",
    },
    Case {
        what: "a looser limit holds when its time has come, and is the one that was asked for",
        breaks: "UPDATE play_time SET minutes = 91, next_minutes = NULL, asked_ms = NULL, next_from_ms = NULL, set_ms = next_from_ms \
                 WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET minutes = 90, next_minutes = NULL, asked_ms = NULL, next_from_ms = NULL, set_ms = next_from_ms \
                WHERE person = 'u-ann'",
    },
    Case {
        what: "a looser limit waits for three days",
        breaks: "UPDATE play_time SET next_from_ms = asked_ms + 259199999 WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET next_from_ms = asked_ms + 259200000 WHERE person = 'u-ann'",
    },
    Case {
        what: "what waits is looser",
        breaks: "UPDATE play_time SET next_minutes = 60 WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET next_minutes = 61 WHERE person = 'u-ann'",
    },
    Case {
        what: "what waits has its time",
        breaks: "UPDATE play_time SET next_minutes = NULL WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET next_minutes = NULL, asked_ms = NULL, next_from_ms = NULL WHERE person = 'u-ann'",
    },
    Case {
        what: "time that was used is used",
        breaks: "UPDATE play_time SET used_ms = used_ms - 1 WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET used_ms = used_ms + 1 WHERE person = 'u-ann'",
    },
    Case {
        what: "a day lasts 24 hours",
        breaks: "UPDATE play_time SET day_ms = day_ms + 86399999, used_ms = 0 WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET day_ms = day_ms + 86400000, used_ms = 0 WHERE person = 'u-ann'",
    },
    Case {
        what: "a limit is one person's",
        breaks: "UPDATE play_time SET person = 'u-bob' WHERE person = 'u-ann'",
        keeps: "UPDATE play_time SET person = 'u-ann' WHERE person = 'u-ann'",
    },
    Case {
        what: "a limit is loosened, not forgotten",
        breaks: "DELETE FROM play_time WHERE person = 'u-ann'",
        keeps: "DELETE FROM play_time WHERE person = 'u-bob'",
    },
];

pub(crate) async fn each_refuses_what_it_is_for(cage: Cage) {
    let (ann, bob) = (cage.member("ann").await, cage.member("bob").await);
    cage.guest("gus").await;
    cage.guest("alone").await;
    let gone = cage.guest("gone").await;
    cage.login(&ann, 1, cage::people::login::How::Password, NOW).await;
    cage.login(&ann, 2, cage::people::login::How::Password, NOW).await;
    cage.write(move |tx| {
        use cage::people::{
            audit, identity, lockout, login, one_time, person, play_time, report, sanction, visit,
        };
        person::forget(tx, &gone, 1)?;
        person::void_tokens(tx, &ann, 10)?;
        for generation in 0..3 {
            login::present(tx, &[1; 16], generation, NOW)?;
        }
        login::end(tx, &ann, "l-2", login::Ended::SignedOut, NOW)?;
        lockout::attempt(tx, &[9; 32], false, NOW)?;
        one_time::to_set_password(tx, &[1; 32], &ann, NOW + 1)?;
        one_time::take(tx, &[1; 32], NOW)?;
        one_time::to_set_password(tx, &[2; 32], &ann, NOW + 1)?;
        for (id, kind, by) in
            [("s-mute", sanction::Kind::Mute, &bob), ("s-self", sanction::Kind::SelfExclusion, &ann)]
        {
            let made = sanction::Sanction {
                id: id.into(),
                person: ann.clone(),
                kind,
                from_ms: 1,
                until_ms: Some(10),
                reason: "for a test".into(),
                by: by.clone(),
                lifted_ms: None,
            };
            sanction::impose(tx, &made)?;
        }
        let subject = identity::Subject { issuer: "https://a".into(), subject: "1".into(), email: None };
        identity::add(tx, "i-1", &ann, &subject, 1)?;
        let goer = Some(visit::Goer { person: ann.clone(), login: "l-1".into() });
        let way = visit::Visit { provider: "a".into(), purpose: visit::Purpose::Link, goer };
        let arrival = visit::Arrival { provider: "a".into(), subject, nick: String::new(), goer: None };
        for hash in [[1; 32], [2; 32]] {
            visit::begin(tx, &hash, &way, NOW + 1, NOW)?;
            visit::arrive(tx, &hash, &arrival, NOW + 1, NOW)?;
        }
        visit::end(tx, &[1; 32], "a", NOW)?;
        visit::settle(tx, &[1; 32], NOW)?;
        for (minutes, at) in [(60, NOW), (90, NOW), (90, NOW + 1_000)] {
            play_time::set(tx, &ann, minutes, 600_000, at)?;
        }
        report::file(tx, &crate::report::report("r-1", &ann, &bob, "t1", 1))?;
        report::file(tx, &crate::report::report("r-2", &ann, &bob, "t9", 1))?;
        report::close(tx, "r-2", &crate::report::closed(&bob, 2))?;
        audit::append(tx, &crate::audit::entry("did")).map(drop)
    })
    .await;
    for Case { what, breaks, keeps } in CASES {
        let broken = cage.try_write(|tx| tx.run(breaks, &[])).await;
        assert!(matches!(broken, Err(DbError::Unique(_) | DbError::Refused(_))), "{what}: {broken:?}");
        let kept = cage.try_write(|tx| {
            tx.run(keeps, &[])?;
            Err::<(), _>(DbError::Broken("undone".into()))
        });
        assert_eq!(kept.await, Err(DbError::Broken("undone".into())), "{what}");
    }
}
