//! What the cage promises, on each database: SQLite in memory, SQLite in a file, PostgreSQL. All promises on PostgreSQL are one test, with
//! one server and a database each, because a server takes longer to make than all of them to hold.

mod audit;
mod constraints;
mod failure;
mod history;
mod identity;
mod ledger;
mod ledger_cut;
mod ledger_failure;
mod ledger_guards;
mod ledger_model;
mod ledger_settle;
mod ledger_staff;
mod ledger_table;
mod lockout;
mod login;
mod one_time;
mod person;
mod play_time;
mod report;
mod sanction;
mod setup;
mod tape;
mod teller;

use cage::{Place, testing::postgres_server::PostgresServer};
use setup::Cage;

/// One test for each promise on SQLite, and one for all on PostgreSQL.
macro_rules! promises {
    ($($module:ident :: $promise:ident),* $(,)?) => {
        mod memory { use super::*; $(
            #[tokio::test]
            async fn $promise() { $module::$promise(Cage::open(&Place::Memory)).await }
        )* }
        mod file { use super::*; $(
            #[tokio::test]
            async fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                $module::$promise(Cage::open(&Place::File(folder.path().join("cage.db")))).await;
            }
        )* }
        #[tokio::test]
        async fn postgres_holds_all_of_them() {
            let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else { return };
            let server = std::sync::Arc::new(server);
            $(
                let made = server.clone();
                let name = concat!(stringify!($module), "_", stringify!($promise));
                println!("{name}");
                let name = &name[..name.len().min(60)];
                let url = tokio::task::spawn_blocking(move || made.database(name)).await.unwrap().unwrap();
                $module::$promise(Cage::open_apart(Place::Postgres(url)).await).await;
            )*
        }
    };
}

promises! {
    audit::entries_stand_in_one_chain_however_many_append,
    audit::a_changed_removed_inserted_or_cut_entry_breaks_the_chain,
    constraints::each_refuses_what_it_is_for,
    history::a_hand_is_kept_once_found_by_who_played_it_and_forgotten_in_time,
    history::hands_are_read_from_the_first_page_by_page_and_added_up_by_what_the_chips_are,
    history::a_hand_that_is_written_down_late_is_told_behind_what_was_told_before,
    history::hands_of_a_branch_that_is_lost_are_void,
    history::a_hand_of_a_table_that_is_shown_late_is_everybodys_when_it_is_due_and_no_sooner,
    history::who_is_gone_is_known_however_many_are_asked_for,
    identity::a_subject_is_one_persons_and_a_person_has_one_of_an_issuer,
    identity::a_way_is_walked_once_in_time_and_from_where_it_led,
    identity::a_hundred_who_come_back_at_once_are_one,
    identity::who_has_arrived_settles_once_in_time,
    ledger::a_request_is_answered_once_and_for_ever,
    ledger::what_is_given_up_comes_back_once_or_never_goes,
    ledger::play_money_is_given_at_the_first_and_again_once_a_day,
    ledger::nobody_brings_what_he_has_not_or_may_not,
    ledger::a_bot_plays_with_the_houses_chips,
    ledger::a_table_never_pays_more_than_it_holds,
    ledger::amounts_that_cannot_be_are_refused,
    ledger::what_this_release_does_not_read_is_not_answered,
    ledger::a_statement_has_a_running_balance_and_pages,
    ledger::eight_tellers_with_the_same_names_do_each_once,
    ledger::the_account_of_a_table_is_exact_at_every_position,
    ledger_table::a_table_and_its_account_say_the_same_whatever_is_under_way_between_them,
    ledger_table::what_a_table_has_too_much_or_too_little_is_told_to_the_chip,
    ledger::a_currency_stays_what_it_is,
    ledger::a_house_that_says_nothing_of_currencies_has_play_money,
    ledger_cut::what_was_brought_in_a_lost_branch_comes_back,
    ledger_cut::who_was_paid_in_a_lost_branch_stays_paid_and_is_not_paid_twice,
    ledger_cut::what_went_back_in_a_lost_branch_is_not_given_again,
    ledger_cut::what_the_house_took_in_a_lost_branch_goes_back,
    ledger_cut::who_left_a_lost_branch_with_nothing_was_not_paid,
    ledger_cut::what_a_cut_has_done_that_is_lost_itself_is_taken_back,
    ledger_cut::who_was_paid_and_what_he_had_brought_are_both_lost,
    ledger_cut::a_table_that_was_settled_and_is_remembered_after_all_goes_on,
    ledger_cut::a_cut_that_comes_too_late_does_nothing,
    ledger_cut::a_cut_and_what_it_cuts_off_never_pass_each_other,
    ledger_guards::each_guard_of_the_ledger_refuses_what_it_is_for,
    ledger_model::it_does_what_the_model_does,
    ledger_settle::everybody_is_paid_what_the_last_recorded_hand_left_him,
    ledger_settle::without_a_recorded_hand_everybody_gets_back_what_he_has_brought,
    ledger_settle::a_hand_of_a_lost_branch_is_not_the_last_one_and_who_was_paid_there_is_not_paid_again,
    ledger_settle::what_was_on_its_way_at_the_last_hand_is_paid_too,
    ledger_settle::staff_settle_a_table_that_is_known_by_nobody_once,
    ledger_settle::whatever_was_under_way_everybody_is_paid_to_the_chip,
    ledger_staff::an_adjustment_is_made_once_and_says_why,
    ledger_staff::what_is_above_the_limit_takes_two_people,
    ledger_staff::an_audit_finds_what_was_changed_by_hand,
    lockout::five_wrong_passwords_lock_for_a_quarter_of_an_hour_and_then_each_one_does,
    lockout::a_hundred_guesses_at_once_are_five,
    lockout::a_stranger_locks_out_strangers_and_never_a_known_device,
    lockout::old_failures_are_forgotten,
    login::a_hundred_refreshes_at_once_have_one_successor,
    login::a_lost_answer_is_given_again_and_only_to_the_one_before,
    login::an_older_token_ends_the_login_and_nobody_elses,
    login::a_login_ends_unused_and_at_last_in_any_case,
    login::the_one_more_than_may_be_ends_the_one_unused_for_longest,
    login::ending_all_but_one_leaves_that_one,
    login::whose_tokens_became_void_lately_is_known,
    login::what_has_long_ended_is_forgotten,
    one_time::a_link_works_once_in_time_and_the_latest_alone,
    person::a_guest_becomes_a_member_and_stays_who_he_is,
    person::two_members_have_neither_one_handle_nor_nicks_that_look_alike,
    person::a_member_changes_the_nick_once_in_thirty_days_and_a_guest_at_will,
    person::who_is_gone_leaves_an_id_that_nobody_gets,
    person::people_are_found_by_id_handle_and_looks,
    play_time::time_is_used_up_and_begins_again_a_day_after_it_began,
    play_time::several_tokens_at_once_count_once_and_one_that_is_left_no_longer_than_it_lasts,
    play_time::a_hundred_tokens_at_once_use_the_time_of_one,
    play_time::a_tighter_limit_holds_at_once_and_a_looser_one_after_three_days,
    play_time::a_tighter_limit_than_was_played_ends_it_until_the_day_is_over,
    play_time::who_is_gone_leaves_no_limit_and_who_is_not_keeps_it,
    report::one_is_open_for_each_reporter_reported_and_room_and_ten_are_taken_in_a_day,
    report::a_hundred_at_once_are_one_and_ten_in_all,
    report::what_was_closed_is_forgotten_in_time_and_nothing_that_is_open,
    sanction::it_holds_until_its_end_or_until_it_is_lifted,
    sanction::nobody_lifts_a_self_exclusion_early,
    teller::a_job_that_fails_takes_nothing_of_others_with_it,
    teller::a_job_that_panics_is_answered_and_the_next_one_is_done,
    teller::a_text_that_one_database_could_not_keep_is_refused_by_each,
    teller::what_is_read_after_an_answer_holds_what_was_answered,
    teller::jobs_about_one_thing_stay_in_order,
    teller::the_clock_is_nobodys_but_the_callers,
}
