//! What every adapter of the ports promises, on each of them: in memory, in a folder, on one Redis, on a Redis Cluster of three primaries and
//! behind sentinels. Each test starts what it needs and shares nothing.

mod bus;
mod failure;
mod near;
mod queue;
mod revocations;
mod settings;
mod setup;
mod store;
mod stream;

use setup::Kind;

/// One test for each promise and adapter.
macro_rules! promises {
    ($($promise:tt)*) => {
        mod memory { use super::*; promises_of! { Memory; $($promise)* } }
        mod file { use super::*; promises_of! { File; $($promise)* } }
        mod single { use super::*; promises_of! { Single; $($promise)* } }
        mod cluster { use super::*; promises_of! { Cluster; $($promise)* } }
        mod sentinel { use super::*; promises_of! { Sentinel; $($promise)* } }
    };
}

/// Those of one adapter.
macro_rules! promises_of {
    ($kind:ident; $($module:ident :: $promise:ident),* $(,)?) => { $(
        #[tokio::test]
        async fn $promise() { $module::$promise(Kind::$kind.start().await).await }
    )* };
}

promises! {
    bus::what_is_published_after_a_confirmed_subscription_arrives,
    bus::one_channel_keeps_the_order_of_one_publisher,
    bus::a_first_connection_is_not_told_as_a_loss,
    bus::a_publication_reaches_all_who_subscribe,
    bus::subscribing_twice_delivers_once,
    bus::an_ended_subscription_delivers_nothing,
    bus::a_payload_of_any_bytes_and_size_arrives_whole,
    bus::channels_do_not_mix,
    store::an_entry_stands_at_exactly_its_position,
    store::an_append_at_or_before_the_last_position_is_fenced_and_writes_nothing,
    store::the_fence_stands_after_the_journal_was_trimmed,
    store::what_is_before_keep_from_is_dropped_with_the_append,
    store::reading_goes_on_after_a_position_up_to_a_limit,
    store::reading_goes_back_before_a_position_up_to_a_limit,
    store::the_last_entry_is_found_alone,
    store::of_two_contenders_for_an_epoch_one_wins,
    store::an_entry_of_any_bytes_and_size_comes_back,
    store::maps_keep_fields_and_a_new_field_is_set_once,
    store::a_journal_expires_and_its_name_begins_anew,
    store::who_extends_a_journal_that_is_gone_is_told_and_begins_none,
    store::a_store_that_says_no_has_written_nothing_and_says_why,
    queue::what_is_pushed_is_taken_once_and_in_order,
    queue::takers_at_the_same_time_have_nothing_twice,
    queue::what_is_done_is_gone_whoever_took_it,
    queue::what_is_taken_and_not_done_comes_to_another,
    queue::what_is_given_back_is_reclaimed_at_once,
    queue::what_nobody_can_do_is_put_aside_and_holds_up_nothing,
    queue::who_waits_is_given_what_comes,
    queue::queues_do_not_mix_and_messages_of_any_bytes_come_back,
    queue::what_was_pushed_is_there_when_the_broker_comes_back,
    revocations::what_is_revoked_is_told_at_once_and_read_by_whoever_did_not_hear_it,
    failure::a_subscriber_hears_that_it_missed_something_when_its_connection_was_lost,
    failure::without_a_broker_operations_fail_in_bounded_time_and_later_work_again,
}

/// What two processes that are relay and dealer worker promise each other.
mod short_way {
    use super::*;

    macro_rules! of {
        ($($name:ident: $kind:ident),*) => { $(mod $name {
            use super::*;
            promises_of! { $kind;
                near::what_is_said_to_a_room_of_the_same_process_is_heard_there_alone,
                near::what_is_said_again_is_heard_by_whoever_may_own_the_room,
                near::a_room_elsewhere_is_reached_before_and_after_it_was_here,
                near::frames_are_for_everybody_until_it_is_known_that_nobody_elsewhere_listens,
                near::who_says_that_he_listens_hears_the_frame_that_was_kept_back_and_all_that_follow,
                near::a_relay_that_does_not_say_where_it_listens_misses_nothing,
                near::after_a_lost_connection_frames_are_for_everybody_again,
            }
        })* };
    }

    of! { memory: Memory, single: Single, cluster: Cluster }

    /// And it is a bus like any other.
    macro_rules! bus {
        ($($name:ident: $kind:ident),*) => { $(mod $name {
            use super::*;
            promises_of! { $kind;
                bus::what_is_published_after_a_confirmed_subscription_arrives,
                bus::one_channel_keeps_the_order_of_one_publisher,
                bus::a_first_connection_is_not_told_as_a_loss,
                bus::a_publication_reaches_all_who_subscribe,
                bus::subscribing_twice_delivers_once,
                bus::an_ended_subscription_delivers_nothing,
                bus::a_payload_of_any_bytes_and_size_arrives_whole,
                bus::channels_do_not_mix,
                failure::a_subscriber_hears_that_it_missed_something_when_its_connection_was_lost,
            }
        })* };
    }

    bus! { over_memory: NearMemory, over_single: NearSingle }
}

/// What lives in a folder has no connection that it could lose unseen.
mod connection {
    use super::*;

    macro_rules! of {
        ($($name:ident: $kind:ident),*) => { $(mod $name {
            use super::*;
            promises_of! { $kind; failure::the_generation_changes_when_the_connection_was_lost }
        })* };
    }

    of! { memory: Memory, single: Single, cluster: Cluster, sentinel: Sentinel }
}

/// Promises of Redis alone.
macro_rules! redis_promises {
    ($($module:ident :: $promise:ident),* $(,)?) => {
        mod redis { $(
            #[tokio::test]
            async fn $promise() { crate::$module::$promise().await }
        )* }
    };
}

redis_promises! {
    failure::a_subscription_survives_the_move_of_its_slot,
    failure::a_stopped_redis_is_noticed_by_a_silent_subscriber_and_play_goes_on_after,
    settings::each_durability_is_refused_where_the_server_does_not_do_it,
    settings::a_redis_that_evicts_is_refused_and_noticed_when_it_begins_to,
    settings::where_config_is_forbidden_info_says_what_it_can,
    settings::who_lacks_any_right_is_told_which_at_once,
    settings::who_is_not_let_in_is_told_so_at_once,
    settings::the_document_names_the_least_rights_and_they_suffice,
    settings::each_reason_to_refuse_is_told_in_the_servers_words,
    failure::an_append_that_too_few_replicas_have_is_not_acknowledged,
    failure::a_subscription_is_not_confirmed_before_the_server_has_said_so,
    failure::nobody_who_cannot_connect_waits_for_ever,
    failure::more_publications_than_the_bound_are_refused_as_full,
    failure::publications_are_not_answered,
    failure::a_lost_connection_for_publications_is_told_and_replaced,
    failure::a_reconnect_is_seen_no_later_than_the_first_answer_after_it,
    failure::an_answer_to_something_else_acknowledges_nothing,
    failure::a_primary_that_was_replaced_and_lives_is_left,
    failure::what_is_not_ours_in_redis_is_an_error_and_costs_no_connection,
    stream::what_was_deleted_or_trimmed_after_it_was_taken_is_forgotten_and_holds_up_nothing,
    stream::a_group_that_is_lost_takes_nothing_with_it_that_is_not_done,
    stream::takers_that_make_the_group_at_once_have_everything_once,
    stream::takers_that_come_and_go_leave_nothing_behind,
}
