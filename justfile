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

# Published agents that ask models and web servers, against servers of our own
agents-offline:
    cargo test --package heddle --test black_box models::

# Sign-in by the libraries that applications are written with, and by the documentation's snippets; installs them first
oauth-clients:
    tests/oauth/clients/install
    cargo test --package heddle --test black_box oauth::

# Clients that openapi-typescript and openapi-python-client make of the served document, through the quick start; installs them first
generated-clients:
    tests/generated/clients/install
    cargo test --package heddle --test black_box generated::

# The kill loop, e.g. `just torture 200`; a second number repeats the plan of that seed
torture kills='25' seed='':
    TORTURE_KILLS={{kills}} TORTURE_SEED={{seed}} cargo test --package heddle --test black_box torture

# The engine simulated, e.g. `just simulate 20000`; a second number is the first seed
simulate seeds='1000' seed='1':
    SIMULATE_SEEDS={{seeds}} SIMULATE_FIRST={{seed}} cargo test --package heddle-engine --test sim whatever -- --nocapture

# Every served block fed so many made-up inputs; a second number is the first seed
block-fuzz inputs='2000' seed='1':
    BLOCK_FUZZ={{inputs}} BLOCK_FUZZ_SEED={{seed}} cargo test --package heddle-blocks --test blocks fuzz

# Faults made by hand that the simulation must find, each in a copy of the source; or some of them by name
mutations *names:
    crates/engine/tests/mutations.py {{names}}

# A server that charges is killed so often, and every run is compared with the wallet
credits-kills kills='50':
    CREDITS_KILLS={{kills}} cargo test --package heddle --test black_box credits:: -- --nocapture

# Limits go on after a restart
limits:
    cargo test --package heddle --test black_box limits::

# Every failpoint × kill, error, panic and delay, on a binary that has them; `just failpoints` in CI as well
failpoints:
    cargo test --package heddle --features failpoints --test failpoints

# The power goes at N moments of a recorded life; a second number asks for other moments
power-loss cuts='200' seed='1':
    HEDDLE_POWER_LOSS={{cuts}} HEDDLE_POWER_LOSS_SEED={{seed}} cargo test --package heddle --test black_box power_loss

# A full disk, a folder that cannot be written to, a locked database; the full disk needs root, to mount a small one
faults:
    cargo test --package heddle --test black_box faults

# How well the marketplace's search ranks: judged answers in many languages, on both databases
search-quality:
    cargo test --package heddle-store --test store market::search -- --nocapture

# All that CI runs
ci:
    .ci/run

# Requests made from the served document, along its links too; `just schemathesis 2000` for the full size
schemathesis examples='25':
    EXAMPLES={{examples}} .ci/schemathesis

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

# The same beside what SQLite itself commits of the same bytes, and how much of that we reach; `just bench-ceiling 5` for five rounds
bench-ceiling rounds='3': dist
    cargo build --locked --profile dist --package heddle-store --example ceiling
    CEILING=1 bench/run.py {{rounds}}

# The same beside Node-RED, which keeps nothing, in turn; installs it by npm into the user's cache
bench-node-red rounds='5': dist
    bench/node_red.py {{rounds}}

# What runs cost that wait for a person: memory, a restart, how soon one goes on; e.g. `just bench-parked 1000`
bench-parked runs='100000': dist
    bench/parked.py {{runs}}

# What it costs to know whose access token or API key came, the first time and from then on
bench-bearer:
    cargo run --locked --profile dist --package heddle-api --example bearer

# The list of blocks beside a static file of its size, and results of a run of ten nodes
bench-reads rounds='3': dist
    cargo build --locked --profile dist --package heddle-api --example static_file
    bench/reads.py {{rounds}}

# How long the marketplace's search takes with 10,000 listings, on both databases; e.g. `just bench-search 1000`
bench-search listings='10000':
    cargo run --locked --profile dist --package heddle-store --example search {{listings}}

# What a backup costs those who are being served
bench-backup: dist
    bench/backup.py

# What removing old runs and rewriting others costs those who are being served; e.g. `just bench-upkeep 10000`
bench-upkeep runs='100000': dist
    bench/upkeep.py {{runs}}

# A thousand calls of models at once: memory, and how late the last answer is; `just bench-models 100` for fewer
bench-models calls='1000': dist
    bench/models.py {{calls}}

# Whether cost stays flat with steps, finished runs and runs in flight: five minutes; `just bench-curves flight` for one of them
bench-curves *what: dist
    bench/curves.py {{what}}

# Whether memory and the log stay flat over many runs, while old ones are removed
bench-soak runs='2000000': dist
    bench/curves.py soak {{runs}}

# Rewrites what the tests keep of the served document and of who may call what
golden:
    HEDDLE_GOLDEN=write cargo test --package heddle-api --test contract -- document:: matrix::

# Recorded exchanges of the original, replayed against the binary (needs ../shared) and against the router
transcripts:
    cargo test --package heddle --test black_box transcripts:: -- --nocapture
    cargo test --package heddle-api --test contract transcripts::

# Who may call what: every route of the document by every kind of credential, against what the tests keep
matrix:
    cargo test --package heddle-api --test contract -- matrix:: tenancy::

# Line coverage of v1's routes and what a request for one goes through; needs cargo-tarpaulin, and a build of its own
coverage:
    crates/api/tests/coverage.py

# The attack list against the authorization server and its pages, on both databases; says how many there are
oauth-attacks:
    cargo test --package heddle-api --test attacks

# Every kind of secret through the real server, then looked for in its files, log, refusals and measurements
secrets-hunt:
    cargo test --package heddle --test black_box secrets::

# Accounts connected at a real authorization server (npm's oidc-provider), and at a malicious one made from it
connect-accounts:
    tests/oauth/clients/install
    cargo test --package heddle-platform --test connecting -- --nocapture
    cargo test --package heddle-api --test contract -- connect:: wizard::

# Every reserved range and some two hundred spellings of addresses inside: a connector that records shows no dial
address-policy:
    cargo test --package heddle-outbound --test addresses -- --nocapture

# Servers that are slow, endless, huge, packed or broken: each ends in an error, in bounded time and memory
hostile-upstreams:
    cargo test --package heddle-outbound --test hostile -- --nocapture
    cargo test --package heddle-blocks --test blocks every_hostile

# The pages in Chromium: each one's main path, axe, headers, scripts in every shown field; pictures in target/browser/pictures; or some parts by name
browser *parts:
    tests/browser/run {{parts}}
