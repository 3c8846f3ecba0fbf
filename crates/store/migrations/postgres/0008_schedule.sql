-- Schedules: when an account's graph is started by itself.

-- `next_run_at`: the slot that comes next, which is the one that is made up for when it was missed; a slot's run is known
-- by the schedule and this time. `counted_at`: what the clock said when that slot was worked out, so that a clock which was
-- put back is noticed.
CREATE TABLE schedule (
    id BYTEA NOT NULL PRIMARY KEY,
    owner BYTEA NOT NULL,
    organization BYTEA NOT NULL,
    graph_id BYTEA NOT NULL,
    graph_version BIGINT NOT NULL,
    name TEXT NOT NULL,
    agent_name TEXT NOT NULL,
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    inputs TEXT NOT NULL,
    credentials TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    next_run_at BIGINT NOT NULL,
    counted_at BIGINT NOT NULL
);

CREATE INDEX schedule_by_owner ON schedule (owner, graph_id, next_run_at, id);
CREATE INDEX schedule_due ON schedule (next_run_at, owner, id);
