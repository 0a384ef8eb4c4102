//! Everything in one process: the newcomer's command.
