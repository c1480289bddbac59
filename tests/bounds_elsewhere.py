"""Numbers without a row (tests/bounds.py): where both sides of them are tested, or why they have none."""

TESTED = {
    # a search of a filled store
    "SEARCH_COUNTED": "cli/test_cli_reading.py::test_a_count_of_many_posts_ends_early",
    "SEARCH_WORDS_COMPARED": "store/test_store_queries.py"
    "::test_a_flood_of_words_hides_relatives_and_never_the_word",
    "MAX_SEARCH_RELATIVES": "store/test_store_queries.py"
    "::test_a_flood_of_words_hides_relatives_and_never_the_word",
    # a whole server, or real sockets
    "MAX_API_CONNECTIONS": "api/test_api_socket.py::test_connections_are_bounded",
    "MAX_API_HEAD": "api/test_api_hostile.py::test_the_head_is_bounded",
    "MAX_API_BODY": "api/test_api_endpoints.py::test_bad_requests",
    "API_BODY_SECONDS": "api/test_api_times.py::test_a_body_has_its_time",
    "API_TAKE_SECONDS": "api/test_api_times.py::test_an_answer_is_taken_in_time_or_not_at_all",
    "API_IDLE_SECONDS": "api/test_api_times.py"
    "::test_a_head_that_drips_in_is_waited_for_as_an_idle_connection_is",
    "API_ALIVE_SECONDS": "api/test_api_times.py::test_a_sync_that_is_slow_says_so_and_goes_on",
    "API_NEW_IDS": "api/test_api_new.py::test_as_many_as_fit_are_named_and_one_more_means_look",
    "API_GRACE_SECONDS": "api/test_api_times.py::test_a_connection_that_comes_at_the_end_is_not_waited_for",
    "NEGOTIATE_SECONDS": "network/test_libp2p_hostile.py::test_streams_on_which_nothing_is_asked_are_reset",
    "PROXY_GREETING_SECONDS": "network/test_network_socks.py"
    "::test_a_proxy_that_falls_silent_is_not_waited_for_for_ever",
    "PROXY_DIAL_SECONDS": "network/test_network_socks.py"
    "::test_a_proxy_that_falls_silent_is_not_waited_for_for_ever",
    "PEERS_SECONDS": "exchange/test_exchange_hostile.py"
    "::test_a_slow_stranger_is_let_go_and_costs_nothing_but_a_stream",
    "GOSSIP_SEND_SECONDS": "gossip/test_gossip_blame.py"
    "::test_a_peer_that_takes_nothing_loses_messages_and_then_its_place",
    "MAX_CONNECTIONS": "network/test_libp2p_inbound_slots.py"
    "::test_a_full_node_lets_strangers_in_and_parts_with_the_youngest",
    "OUTBOUND_RESERVE": "network/test_libp2p_inbound_slots.py"
    "::test_whom_a_full_node_dials_comes_in_and_stays",
    "CONNECTION_MEMORY": "network/test_memory_budget.py::test_both_sides_of_the_bound",
    "MEMORY_MOST": "network/test_memory_budget.py::test_the_sum_of_all_bounds_is_what_the_documentation_says",
    "STREAM_MEMORY": "network/test_memory_budget.py"
    "::test_a_peer_that_takes_what_it_is_sent_stays_below_an_even_share",
    "MAX_STREAM_WINDOW": "network/test_network_yamux.py"
    "::test_windows_of_streams_that_are_read_grow_and_share",
    "FIRST_PORT": "network/test_network_reach.py::test_ports_are_spread_and_lasting",
    "PORTS": "network/test_network_reach.py::test_ports_are_spread_and_lasting",
    # a whole session
    "MAX_WANTS": "sync/test_sync_hostile.py::test_a_million_ids_that_do_not_exist",
    "SYNC_SECONDS": "sync/test_sync_session_slots.py"
    "::test_control_if_none_is_spared_they_hold_it_up_for_half_an_hour",
    "SYNC_PULL_FROM": "sync/test_sync_service.py::test_sessions_go_on_while_a_budget_leaves_something",
    "SYNC_FIRST_PULL": "sync/test_sync_service.py::test_a_new_board_is_pulled_from_one_of_them",
    # a store, a keystore, a disk
    "BLOCK_MOST": "store/test_store_blocks.py::test_blocks_are_right_however_the_keys_come",
    "STORE_LOG_LEAST": "store/test_store_retention.py::test_the_log_stays_short",
    "STORE_ROOM": "cli/test_cli_node.py::test_doctor_and_status_warn_before_the_disk_is_full",
    "ROOM_TRIED": "cli/test_cli_node.py::test_doctor_finds_that_nothing_can_be_written",
    "SENT_HOURS": "forum/test_forum_leak_report.py::test_it_expires_with_the_post",
    "AGENT_MOST_SECONDS": "agent/test_agent.py::test_it_ends_in_any_case",
    "OPEN_HOLD_SECONDS": "test_config.py"
    "::test_how_long_posts_are_held_is_drawn_up_to_a_day_and_hardly_if_nothing_is_hidden",
}

NO_EDGE = {
    "what a person sets otherwise": "QUOTA HOLD_MINUTES AGENT_IDLE_MINUTES KDF_MEMORY KDF_PASSES",
    "how much this node does at once, and what it costs then": """
        GOSSIP_READ SYNC_READ SYNC_BATCH SYNC_AT_DOOR SYNC_SLICE_SECONDS SYNC_POLITE_SECONDS STORE_STEP
        STORE_CACHE STORE_READ_CACHE STORE_LOG_PART STORE_LOG_MOST STORE_CHECKED VERIFY_THREADS
        API_PROGRESS_STEPS""",
    "how often this node does something by itself": """
        STEM_LOOK_SECONDS SYNC_RETRY_SECONDS SYNC_EVERY_SECONDS LAN_LOOK_SECONDS FEELER_SECONDS
        MAPPING_SECONDS gossip.heartbeat""",
    "how long it waits for what is near": "LAN_ANSWER_MS ROUTER_SECONDS SUBMIT_SECONDS STEM_DROP_SECONDS",
    "the mean of what is drawn": "BACKLOG_SECONDS stem.diffuser stem.hop_delay stem.embargo_mean",
    "a factor of a sum: tests/gossip/test_gossip_score.py": """
        gossip.excess gossip.useless gossip.time_weight gossip.time_quantum gossip.first_weight
        gossip.first_decay gossip.delivery_share gossip.delivery_weight gossip.delivery_decay
        gossip.failure_weight gossip.failure_decay gossip.invalid_weight gossip.invalid_decay
        gossip.colocation_weight gossip.behaviour_weight gossip.behaviour_decay""",
    "nothing that is taken comes near": "MAX_BOOK_ADDRESS",
    "not yet: it needs a node that runs for ten minutes": "ANCHOR_SECONDS",
}
"""Why, and which."""
