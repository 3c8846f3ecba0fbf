"""The quick start by a client that openapi-python-client made. What is misspelt here, or missing in the document, is not there to
import."""

import os

from heddle_client import AuthenticatedClient
from heddle_client.api.blocks import get_graph_blocks_blocks_get as blocks
from heddle_client.api.graphs import create_graph_graphs_post as create
from heddle_client.api.graphs import (
    execute_graph_graphs_graph_id_execute_graph_version_post as execute,
)
from heddle_client.api.graphs import (
    get_graph_execution_results_graphs_graph_id_executions_graph_exec_id_results_get as results,
)
from heddle_client.api.user import get_user_info_me_get as me
from heddle_client.models import BodyExecuteGraphGraphsGraphIdExecuteGraphVersionPost as Start
from heddle_client.models import Graph

client = AuthenticatedClient(
    base_url=os.environ["HEDDLE"] + "/external-api/v1", token=os.environ["API_KEY"], prefix="", auth_header_name="X-API-Key"
)
assert me.sync(client=client).email == "operator@localhost"

served = {block.name: block for block in blocks.sync(client=client)}
echo = Graph.from_dict({
    "name": "Echo",
    "description": "Says it back",
    "nodes": [
        {"id": "a", "block_id": served["AgentInputBlock"].id, "input_default": {"name": "text"}},
        {"id": "b", "block_id": served["AgentOutputBlock"].id, "input_default": {"name": "echo"}},
    ],
    "links": [{"source_id": "a", "source_name": "result", "sink_id": "b", "sink_name": "value"}],
})
graph = create.sync(client=client, body=echo)
started = execute.sync(
    graph_id=graph.id, graph_version=graph.version, client=client, body=Start.from_dict({"node_input": {"text": "hi"}}),
    prefer="wait=30",
)
assert started.status == "COMPLETED", started
found = results.sync(graph_id=graph.id, graph_exec_id=started.id, client=client)
assert [output.to_dict() for output in found.output] == [{"echo": "hi"}], found

missing = execute.sync_detailed(graph_id="none", graph_version=1, client=client, body=Start.from_dict({}))
assert missing.status_code == 400 and isinstance(missing.parsed.detail, str), missing
print("quick start: done")
