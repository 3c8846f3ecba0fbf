//! Agents and creators of the marketplace, with the names of both generations of the original.

use super::lists::Pagination;
use crate::app::App;
use heddle_platform::Page;
use heddle_platform::marketplace::{AgentCard, AgentDetails, CreatorStats};
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Where pictures are found.
pub struct Media(String);

impl Media {
    /// Below the address that this server is reached at.
    pub fn of(app: &App) -> Self {
        let own = app.settings.public_url.as_deref().unwrap_or(app.platform.authorization.issuer().as_str());
        Self(format!("{}/media/", own.trim_end_matches('/')))
    }

    fn url(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }
}

/// In which order agents come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum StoreAgentsSortOptions {
    /// Best first.
    Rating,
    /// Most first.
    Runs,
    /// From A to Z.
    Name,
    /// Last changed first.
    UpdatedAt,
}

/// In which order creators come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum StoreCreatorsSortOptions {
    /// Best first.
    AgentRating,
    /// Most first.
    AgentRuns,
    /// Most first.
    NumAgents,
}

/// The schemas of query parameters, which may all be left out; some have a default.
macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)*) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T($schema.into())
            }
        }

        impl ToSchema for $name {}
    )*};
}

parameters! {
    /// Whether only what operators chose.
    Chosen = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(false.into()));
    /// From 1.
    PageNumber = ObjectBuilder::new().schema_type(Type::Integer).default(Some(1.into()));
    /// At least 1.
    PageSize = ObjectBuilder::new().schema_type(Type::Integer).default(Some(20.into()));
    /// A text or nothing.
    MaybeText = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    /// An order of agents or none.
    MaybeAgentsOrder = perhaps("StoreAgentsSortOptions");
    /// An order of creators or none.
    MaybeCreatorsOrder = perhaps("StoreCreatorsSortOptions");
}

fn perhaps(name: &str) -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(Ref::from_schema_name(name)).item(null).into()
}

/// A page of agents.
#[derive(Serialize, ToSchema)]
pub struct StoreAgentsResponse {
    /// The agents of this page.
    agents: Vec<StoreAgent>,
    pagination: Pagination,
}

/// An agent in a list.
#[derive(Serialize, ToSchema)]
struct StoreAgent {
    /// Its name in addresses.
    slug: String,
    /// Its name for people.
    agent_name: String,
    /// Address of its first picture, or empty.
    agent_image: String,
    /// Username of its creator.
    creator: String,
    /// Address of its creator's picture, or empty.
    creator_avatar: String,
    /// One line about it.
    sub_heading: String,
    /// All about it.
    description: String,
    /// How often it was run, by anybody.
    runs: u64,
    /// Mean of its ratings, 1 to 5; 0 without any.
    rating: f64,
    /// Its graph.
    agent_graph_id: String,
}

impl StoreAgent {
    fn of(card: AgentCard, media: &Media) -> Self {
        Self {
            agent_image: card.images.first().map(|name| media.url(name)).unwrap_or_default(),
            creator_avatar: card.creator_avatar.as_deref().map(|name| media.url(name)).unwrap_or_default(),
            slug: card.slug,
            agent_name: card.name,
            creator: card.creator,
            sub_heading: card.sub_heading,
            description: card.description,
            runs: card.runs,
            rating: card.ratings.mean(),
            agent_graph_id: card.graph.to_string(),
        }
    }
}

impl StoreAgentsResponse {
    /// One page.
    pub fn of(page: Page<AgentCard>, media: &Media) -> Self {
        let pagination = Pagination::from(&page);
        Self { agents: page.items.into_iter().map(|card| StoreAgent::of(card, media)).collect(), pagination }
    }
}

/// All about an agent.
#[derive(Serialize, ToSchema)]
pub struct StoreAgentDetails {
    /// The version of the listing that is shown.
    store_listing_version_id: String,
    /// Its name in addresses.
    slug: String,
    /// Its name for people.
    agent_name: String,
    /// Address of a film, or empty.
    agent_video: String,
    /// Address of what came out of a run, or empty.
    agent_output_demo: String,
    /// Addresses of its pictures.
    agent_image: Vec<String>,
    /// Username of its creator.
    creator: String,
    /// Address of its creator's picture, or empty.
    creator_avatar: String,
    /// One line about it.
    sub_heading: String,
    /// All about it.
    description: String,
    /// Not given here.
    instructions: Option<String>,
    /// What it is filed under.
    categories: Vec<String>,
    /// How often it was run, by anybody.
    runs: u64,
    /// Mean of its ratings, 1 to 5; 0 without any.
    rating: f64,
    /// Versions of the listing.
    versions: Vec<String>,
    /// Its graph.
    graph_id: String,
    /// Versions of the graph.
    graph_versions: Vec<String>,
    /// As `graph_id`, for older clients.
    #[serde(rename = "agentGraphId")]
    #[schema(required = false)]
    agent_graph_id: String,
    /// As `graph_versions`, for older clients.
    #[serde(rename = "agentGraphVersions")]
    #[schema(required = false)]
    agent_graph_versions: Vec<String>,
    /// When the version that is shown was approved.
    #[schema(format = DateTime)]
    last_updated: String,
    /// Five fields: how often it is best run.
    recommended_schedule_cron: Option<String>,
    /// Whose it is; not told.
    owning_org_id: Option<String>,
    /// The version of the listing that is shown.
    active_version_id: String,
    /// Whether there is one.
    has_approved_version: bool,
    /// What is new in each version; not given here.
    changelog: Option<Vec<ChangelogEntry>>,
}

/// What is new in a version.
#[derive(Serialize, ToSchema)]
struct ChangelogEntry {
    /// Of the listing.
    version: String,
    /// In words.
    changes_summary: String,
    /// When it was approved.
    #[schema(format = DateTime)]
    date: String,
}

impl StoreAgentDetails {
    /// All that is public of an agent.
    pub fn of(agent: AgentDetails, media: &Media) -> Self {
        let AgentDetails { card, video, output_demo, schedule, versions, .. } = agent;
        let mut graph_versions: Vec<i64> = versions.iter().map(|version| version.graph_version).collect();
        graph_versions.sort_unstable();
        graph_versions.dedup();
        let graph_versions: Vec<String> = graph_versions.iter().map(ToString::to_string).collect();
        Self {
            store_listing_version_id: card.version.to_string(),
            slug: card.slug,
            agent_name: card.name,
            agent_video: video.unwrap_or_default(),
            agent_output_demo: output_demo.unwrap_or_default(),
            agent_image: card.images.iter().map(|name| media.url(name)).collect(),
            creator: card.creator,
            creator_avatar: card.creator_avatar.as_deref().map(|name| media.url(name)).unwrap_or_default(),
            sub_heading: card.sub_heading,
            description: card.description,
            instructions: None,
            categories: card.categories,
            runs: card.runs,
            rating: card.ratings.mean(),
            versions: versions.iter().map(|version| version.version.to_string()).collect(),
            graph_id: card.graph.to_string(),
            graph_versions: graph_versions.clone(),
            agent_graph_id: card.graph.to_string(),
            agent_graph_versions: graph_versions,
            last_updated: card.updated_at.rfc3339(),
            recommended_schedule_cron: schedule,
            owning_org_id: None,
            active_version_id: card.version.to_string(),
            has_approved_version: true,
            changelog: None,
        }
    }
}

/// A page of creators.
#[derive(Serialize, ToSchema)]
pub struct CreatorsResponse {
    /// The creators of this page.
    creators: Vec<CreatorDetails>,
    pagination: Pagination,
}

/// Somebody who publishes agents.
#[derive(Serialize, ToSchema)]
pub struct CreatorDetails {
    /// In addresses.
    username: String,
    /// For people.
    name: String,
    /// For people.
    description: String,
    /// Address of a picture.
    #[schema(required = true)]
    avatar_url: Option<String>,
    /// Addresses elsewhere.
    links: Vec<String>,
    /// Chosen by the operators.
    is_featured: bool,
    /// Agents on the marketplace.
    num_agents: u64,
    /// How often they were run, by anybody.
    agent_runs: u64,
    /// Mean of all their ratings, 1 to 5; 0 without any.
    agent_rating: f64,
    /// What most of them are filed under.
    top_categories: Vec<String>,
}

impl CreatorDetails {
    /// All that is public of a creator.
    pub fn of(stats: CreatorStats, media: &Media) -> Self {
        let CreatorStats { creator, agents, runs, ratings, categories } = stats;
        Self {
            username: creator.username,
            name: creator.name,
            description: creator.description,
            avatar_url: creator.avatar.as_deref().map(|name| media.url(name)),
            links: creator.links,
            is_featured: creator.is_featured,
            num_agents: agents,
            agent_runs: runs,
            agent_rating: ratings.mean(),
            top_categories: categories,
        }
    }
}

impl CreatorsResponse {
    /// One page.
    pub fn of(page: Page<CreatorStats>, media: &Media) -> Self {
        let pagination = Pagination::from(&page);
        Self { creators: page.items.into_iter().map(|one| CreatorDetails::of(one, media)).collect(), pagination }
    }
}
