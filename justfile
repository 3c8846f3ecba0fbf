# Each proof is one command. `just` is a convenience: every recipe is a line that works without it.

# What must hold before a change lands
check: ci

# Formats what is there
format:
    cargo fmt --all

# Lints alone
lint:
    cargo clippy --locked --workspace --all-targets --features heddle/failpoints -- -D warnings

# The tests of the README
test:
    cargo test

# One suite, e.g. `just suite crash`: commands, crash, examples, first_start, rules, serving, settings, agents
suite name:
    cargo test --package heddle --test black_box {{name}}

# The kill loop, e.g. `just torture 200`; a second number repeats the plan of that seed
torture kills='25' seed='':
    TORTURE_KILLS={{kills}} TORTURE_SEED={{seed}} cargo test --package heddle --test black_box torture

# The engine simulated, e.g. `just simulate 20000`; a second number is the first seed
simulate seeds='1000' seed='1':
    SIMULATE_SEEDS={{seeds}} SIMULATE_FIRST={{seed}} cargo test --package heddle-engine --test sim whatever -- --nocapture

# Every failpoint × kill, error, panic and delay, on a binary that has them; `just failpoints` in CI as well
failpoints:
    cargo test --package heddle --features failpoints --test failpoints

# The power goes at N moments of a recorded life; a second number asks for other moments
power-loss cuts='200' seed='1':
    HEDDLE_POWER_LOSS={{cuts}} HEDDLE_POWER_LOSS_SEED={{seed}} cargo test --package heddle --test black_box power_loss

# A full disk, a folder that cannot be written to, a locked database; the full disk needs root, to mount a small one
faults:
    cargo test --package heddle --test black_box faults

# All that CI runs
ci:
    .ci/run

# Requests made from the served document
schemathesis:
    .ci/schemathesis

# Which dependencies may come in
deny:
    bash -c '. .ci/tools && cargo deny --locked check bans licenses sources'

# The binary that is shipped and measured
dist:
    cargo build --locked --profile dist --package heddle

# Cold start, memory at rest, size of the binary
bench-start: dist
    bench/start.py

# Runs a second through HTTP, and the disk beside it
bench-run: dist
    bench/run.py

# What runs cost that wait for a person: memory, a restart, how soon one goes on; e.g. `just bench-parked 1000`
bench-parked runs='100000': dist
    bench/parked.py {{runs}}

# What a backup costs those who are being served
bench-backup: dist
    bench/backup.py

# What removing old runs and rewriting others costs those who are being served; e.g. `just bench-upkeep 10000`
bench-upkeep runs='100000': dist
    bench/upkeep.py {{runs}}

# Whether cost stays flat with steps, finished runs and runs in flight; `just bench-curves soak 500000` for many runs
bench-curves *what: dist
    bench/curves.py {{what}}
