//! The marketplace: agents and their creators.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::{AgentName, AgentsInput, CreatorName, CreatorsInput};
use crate::scopes::ReadStore;
use crate::wire::{
    Chosen, CreatorDetails, CreatorsResponse, Failure, MaybeAgentsOrder, MaybeCreatorsOrder, MaybeText, Media,
    PageNumber, PageSize, StoreAgentDetails, StoreAgentsResponse, Unprocessable,
};
use axum::Json;
use axum::extract::State;
use heddle_platform::marketplace::{AgentQuery, CreatorQuery};

/// Agents on the marketplace, in pages.
///
/// With `search_query` the best fit comes first and `sorted_by` does not count.
#[utoipa::path(
    get,
    path = "/store/agents",
    tag = "store",
    params(
        ("featured" = inline(Chosen), Query, description = "Only those that the operators chose"),
        ("creator" = inline(MaybeText), Query, description = "Only those of the creator of this username"),
        ("sorted_by" = inline(MaybeAgentsOrder), Query, description = "Best, most or last first; names from A to Z"),
        ("search_query" = inline(MaybeText), Query, description = "What they are about: looked for in name, sub-heading and description"),
        ("category" = inline(MaybeText), Query, description = "Only those in this category"),
        ("page" = inline(PageNumber), Query, description = "From 1"),
        ("page_size" = inline(PageSize), Query, description = "At least 1; more than 100 counts as 100"),
    ),
    responses(
        (status = 200, description = "One page", body = StoreAgentsResponse),
        (status = 422, description = "The request does not match the schema", body = Unprocessable),
    )
)]
pub async fn get_store_agents(
    State(app): State<App>,
    call: Call<ReadStore, AgentsInput>,
) -> Result<Json<StoreAgentsResponse>, ApiError> {
    let AgentsInput { featured, creator, order, search, category, page } = call.input;
    let page = page.request()?;
    let query = AgentQuery { featured, creator, category, search, order };
    let found = app.platform.marketplace.agents(query, page).await?;
    Ok(Json(StoreAgentsResponse::of(found, &Media::of(&app))))
}

/// One agent on the marketplace.
///
/// Both names are read without regard to case.
#[utoipa::path(
    get,
    path = "/store/agents/{username}/{agent_name}",
    tag = "store",
    params(
        ("username" = String, Path, description = "Username of its creator"),
        ("agent_name" = String, Path, description = "Its slug"),
    ),
    responses(
        (status = 200, description = "The agent", body = StoreAgentDetails),
        (status = 404, description = "There is no such agent", body = Failure),
    )
)]
pub async fn get_store_agent(
    State(app): State<App>,
    call: Call<ReadStore, AgentName>,
) -> Result<Json<StoreAgentDetails>, ApiError> {
    let AgentName { username, slug } = call.input;
    let agent = app.platform.marketplace.agent(&username, &slug).await.map_err(ApiError::Unlisted)?;
    Ok(Json(StoreAgentDetails::of(agent, &Media::of(&app))))
}

/// Creators of agents on the marketplace, in pages.
#[utoipa::path(
    get,
    path = "/store/creators",
    tag = "store",
    params(
        ("featured" = inline(Chosen), Query, description = "Only those that the operators chose"),
        ("search_query" = inline(MaybeText), Query, description = "Part of a username, name or description; at most 100 characters"),
        ("sorted_by" = inline(MaybeCreatorsOrder), Query, description = "Best or most first; usernames from A to Z without"),
        ("page" = inline(PageNumber), Query, description = "From 1"),
        ("page_size" = inline(PageSize), Query, description = "At least 1; more than 100 counts as 100"),
    ),
    responses(
        (status = 200, description = "One page", body = CreatorsResponse),
        (status = 400, description = "The search is too long, or nothing but spaces", body = Failure),
        (status = 422, description = "The request does not match the schema", body = Unprocessable),
    )
)]
pub async fn get_store_creators(
    State(app): State<App>,
    call: Call<ReadStore, CreatorsInput>,
) -> Result<Json<CreatorsResponse>, ApiError> {
    let CreatorsInput { featured, search, order, page } = call.input;
    let page = page.request()?;
    let found = app.platform.marketplace.creators(CreatorQuery { featured, search, order }, page).await?;
    Ok(Json(CreatorsResponse::of(found, &Media::of(&app))))
}

/// One creator on the marketplace.
#[utoipa::path(
    get,
    path = "/store/creators/{username}",
    tag = "store",
    params(("username" = String, Path, description = "Username, in any case")),
    responses(
        (status = 200, description = "The creator", body = CreatorDetails),
        (status = 404, description = "There is no such creator", body = Failure),
    )
)]
pub async fn get_store_creator(
    State(app): State<App>,
    call: Call<ReadStore, CreatorName>,
) -> Result<Json<CreatorDetails>, ApiError> {
    let creator = app.platform.marketplace.creator(&call.input.0).await.map_err(ApiError::Unlisted)?;
    Ok(Json(CreatorDetails::of(creator, &Media::of(&app))))
}
