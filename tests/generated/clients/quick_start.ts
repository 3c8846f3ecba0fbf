// The quick start by a client made of openapi-typescript's types and openapi-fetch. `Graph`, `paths` and the rest are generated: what is
// misspelt here, or missing in the document, does not compile.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./heddle.js";

const address = process.env.HEDDLE ?? "";
const heddle = createClient<paths>({
  baseUrl: `${address}/external-api/v1`,
  headers: { "X-API-Key": process.env.API_KEY ?? "" },
});

const me = await heddle.GET("/me");
assert.equal(me.data?.email, "operator@localhost");

const blocks = await heddle.GET("/blocks");
assert.ok((blocks.data?.length ?? 0) > 10);
const input = blocks.data?.find((block) => block.name === "AgentInputBlock");
const output = blocks.data?.find((block) => block.name === "AgentOutputBlock");
assert.ok(input && output);

const echo: components["schemas"]["Graph"] = {
  name: "Echo",
  description: "Says it back",
  nodes: [
    { id: "a", block_id: input.id, input_default: { name: "text" } },
    { id: "b", block_id: output.id, input_default: { name: "echo" } },
  ],
  links: [{ source_id: "a", source_name: "result", sink_id: "b", sink_name: "value" }],
};
const saved = await heddle.POST("/graphs", { body: echo });
assert.equal(saved.response.status, 201);
const graph = saved.data;
assert.ok(graph?.id && graph.version);

const path = { graph_id: graph.id, graph_version: graph.version };
const started = await heddle.POST("/graphs/{graph_id}/execute/{graph_version}", {
  params: { path, header: { Prefer: "wait=30" } },
  body: { node_input: { text: "hi" } },
});
assert.equal(started.data?.status, "COMPLETED");
const results = await heddle.GET("/graphs/{graph_id}/executions/{graph_exec_id}/results", {
  params: { path: { graph_id: graph.id, graph_exec_id: started.data.id } },
});
assert.deepEqual(results.data?.output, [{ echo: "hi" }]);

const missing = await heddle.GET("/graphs/{graph_id}", { params: { path: { graph_id: "none" } } });
assert.equal(missing.response.status, 404);
assert.equal(typeof missing.error?.detail, "string");
console.log("quick start: done");
