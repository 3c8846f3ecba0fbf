//! Pages of graphs and runs.

use heddle_model::{GraphId, RunId, Status};
use heddle_platform::{GraphSummary, Page, RunCounts, RunSummary};
use serde::Serialize;
use utoipa::ToSchema;

/// Where a page stands in its list.
#[derive(Serialize, ToSchema)]
pub struct Pagination {
    total_items: u64,
    total_pages: u64,
    current_page: u64,
    page_size: u64,
}

impl<T> From<&Page<T>> for Pagination {
    fn from(page: &Page<T>) -> Self {
        Self {
            total_items: page.total_items,
            total_pages: page.total_pages(),
            current_page: page.page,
            page_size: page.page_size,
        }
    }
}

/// The caller's graphs, newest first.
#[derive(Serialize, ToSchema)]
pub struct GraphList {
    graphs: Vec<GraphListed>,
    pagination: Pagination,
}

/// A graph in a list, by its highest version.
#[derive(Serialize, ToSchema)]
struct GraphListed {
    #[schema(value_type = String)]
    id: GraphId,
    version: i64,
    name: String,
    description: String,
    is_active: bool,
    created_at: String,
}

impl From<Page<GraphSummary>> for GraphList {
    fn from(page: Page<GraphSummary>) -> Self {
        let pagination = Pagination::from(&page);
        let listed = |graph: GraphSummary| GraphListed {
            created_at: graph.created_at.rfc3339(),
            id: graph.id,
            version: graph.version,
            name: graph.name,
            description: graph.description,
            is_active: graph.is_active,
        };
        Self { graphs: page.items.into_iter().map(listed).collect(), pagination }
    }
}

/// Runs of a graph, newest first.
#[derive(Serialize, ToSchema)]
pub struct Executions {
    executions: Vec<Execution>,
    pagination: Pagination,
}

/// A run in a list.
#[derive(Serialize, ToSchema)]
struct Execution {
    #[schema(value_type = String)]
    id: RunId,
    #[schema(value_type = String)]
    graph_id: GraphId,
    graph_version: i64,
    #[schema(value_type = String)]
    status: Status,
    #[schema(required = true)]
    started_at: Option<String>,
    #[schema(required = true)]
    ended_at: Option<String>,
    stats: Counted,
}

/// What a run's executions add up to, its child runs' included.
#[derive(Serialize, ToSchema)]
struct Counted {
    /// Credits, in cents.
    cost: u64,
    /// Finished executions.
    node_exec_count: u64,
    /// Those that failed.
    node_error_count: u64,
}

impl From<RunCounts> for Counted {
    fn from(counts: RunCounts) -> Self {
        Self { cost: counts.cost, node_exec_count: counts.nodes, node_error_count: counts.errors }
    }
}

impl From<Page<RunSummary>> for Executions {
    fn from(page: Page<RunSummary>) -> Self {
        let pagination = Pagination::from(&page);
        let listed = |run: RunSummary| Execution {
            id: run.id,
            graph_id: run.graph_id,
            graph_version: run.graph_version,
            status: run.status,
            started_at: run.started_at.map(heddle_model::Time::rfc3339),
            ended_at: run.ended_at.map(heddle_model::Time::rfc3339),
            stats: run.counts.into(),
        };
        Self { executions: page.items.into_iter().map(listed).collect(), pagination }
    }
}
