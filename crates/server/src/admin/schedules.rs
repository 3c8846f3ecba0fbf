//! Schedules, for commands.

use heddle_model::cron;
use heddle_platform::{Account, Error, NewSchedule, Platform, Schedule};
use serde_json::{Value, json};

pub async fn create(platform: &Platform, user: Option<&str>, new: NewSchedule) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    let schedule = platform.schedules.create(&super::principal(&owner), new).await?;
    Ok(shown(&owner, &schedule))
}

pub async fn list(platform: &Platform, user: Option<&str>) -> Result<Value, Error> {
    let owners = match user {
        Some(email) => vec![super::account(platform, Some(email)).await?],
        None => platform.accounts.list().await?,
    };
    let mut schedules = Vec::new();
    for owner in owners {
        let its = platform.schedules.list(owner.id).await?;
        schedules.extend(its.into_iter().map(|schedule| (schedule.next_run_at, shown(&owner, &schedule))));
    }
    schedules.sort_by_key(|(next, _)| *next);
    Ok(schedules.into_iter().map(|(_, shown)| shown).collect())
}

/// Whoever may run commands on this folder may remove every schedule in it.
pub async fn remove(platform: &Platform, id: &str) -> Result<Value, Error> {
    for owner in platform.accounts.list().await? {
        match platform.schedules.remove(owner.id, id).await {
            Err(Error::NotFound(_)) => {}
            other => return other.map(|schedule| shown(&owner, &schedule)),
        }
    }
    Err(Error::NotFound(format!("there is no schedule {id:?}")))
}

/// The fields of `engine.md` 16, and whose it is.
fn shown(owner: &Account, schedule: &Schedule) -> Value {
    let next = match cron::zone(&schedule.time_zone) {
        Ok(zone) => cron::shown(schedule.next_run_at, zone),
        Err(_) => schedule.next_run_at.rfc3339(),
    };
    json!({
        "id": schedule.id,
        "schedule_id": schedule.id,
        "name": schedule.name,
        "user_id": schedule.owner,
        "email": owner.email,
        "graph_id": schedule.graph,
        "graph_version": schedule.version,
        "agent_name": schedule.agent_name,
        "cron": schedule.cron,
        "timezone": schedule.time_zone,
        "input_data": schedule.inputs,
        "input_credentials": schedule.credentials,
        "next_run_time": next,
    })
}
