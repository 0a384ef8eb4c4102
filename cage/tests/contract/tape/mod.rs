//! What the tape promises, on both databases: whatever was answered outlives a database that goes back.

mod damage;
mod disk;
mod house;
mod restored;

use cage::testing::postgres_server::PostgresServer;
use house::House;
pub(crate) use house::all_of;

/// Each promise on SQLite in a file, and all on PostgreSQL with one server.
macro_rules! promises {
    ($($module:ident :: $promise:ident),* $(,)?) => {
        mod file { use super::*; $(
            #[tokio::test]
            async fn $promise() { $module::$promise(House::in_file()).await }
        )* }
        #[tokio::test]
        async fn postgres_holds_all_of_them() {
            let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else { return };
            let server = std::sync::Arc::new(server);
            $(
                let name = stringify!($promise);
                println!("{name}");
                $module::$promise(House::in_postgres(server.clone(), &name[..name.len().min(40)])).await;
            )*
        }
    };
}

promises! {
    restored::a_database_that_was_restored_is_brought_forward_to_what_was_answered,
    restored::without_the_tape_a_restored_database_has_lost_what_was_answered,
    restored::what_was_taped_and_never_committed_is_answered_as_the_tape_says_and_once,
    restored::a_refusal_that_was_told_does_not_become_a_yes,
    restored::what_two_people_moved_by_hand_is_not_moved_again,
    restored::several_cages_bring_forward_what_they_share,
    restored::the_last_line_of_a_tape_waits_for_another_cage_too,
    restored::a_database_that_went_on_without_its_tape_is_not_taken_for_one_that_has_gone_back,
    restored::a_database_knows_up_to_where_it_has_the_tape,
    disk::a_group_that_the_tape_does_not_take_is_not_answered,
    disk::what_was_not_committed_is_dropped,
    damage::a_last_line_that_is_torn_was_told_to_nobody,
    damage::any_other_damage_is_refused_with_the_lines_number,
    damage::a_tape_that_has_lost_its_end_is_not_written_on,
    damage::a_tape_is_one_cages_and_one_ledgers,
    damage::each_day_has_a_file_that_goes_on_where_the_one_before_ended,
}
