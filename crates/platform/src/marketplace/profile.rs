//! What creators say about themselves.

use super::{Marketplace, pictures, text};
use crate::Error;
use heddle_model::UserId;
use heddle_store::{Creator, CreatorStats};

/// Letters of a username, a name, a description; how many links.
const USERNAME: std::ops::RangeInclusive<usize> = 2..=40;
const NAME: usize = 100;
const DESCRIPTION: usize = 2_000;
const LINKS: usize = 5;

/// A creator's profile as it is to be.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Made small letters, digits and hyphens.
    pub username: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Addresses elsewhere.
    pub links: Vec<String>,
    /// Name of one of the account's pictures.
    pub avatar: Option<String>,
}

impl Marketplace {
    /// The account's own profile; `None` while there is none.
    pub async fn profile(&self, owner: UserId) -> Result<Option<CreatorStats>, Error> {
        Ok(self.store.creator_stats(owner).await?)
    }

    /// Makes or changes the account's profile. [`Error::Conflict`] when the username is another's.
    pub async fn save_profile(&self, owner: UserId, profile: Profile) -> Result<Creator, Error> {
        let username = text::slug(&profile.username);
        if !USERNAME.contains(&username.len()) {
            let (least, most) = (USERNAME.start(), USERNAME.end());
            return Err(Error::Refused(format!(
                "a username has {least} to {most} letters from a to z, digits and hyphens"
            )));
        }
        let links = profile.links.iter().filter(|link| !link.trim().is_empty());
        let links: Vec<String> = links.map(|link| text::address("a link", link)).collect::<Result<_, _>>()?;
        if links.len() > LINKS {
            return Err(Error::Refused(format!("a profile has at most {LINKS} links")));
        }
        let avatar = match profile.avatar {
            Some(name) => Some(self.own_picture(owner, &name).await?),
            None => None,
        };
        let now = self.clock.now();
        let known = self.store.creator(owner).await?;
        let creator = Creator {
            owner,
            name: text::required("the name", &profile.name, NAME, false)?,
            description: text::bounded("the description", &profile.description, DESCRIPTION, true)?,
            links,
            avatar,
            is_featured: known.as_ref().is_some_and(|creator| creator.is_featured),
            created_at: known.map_or(now, |creator| creator.created_at),
            updated_at: now,
            username,
        };
        match self.store.put_creator(creator.clone()).await {
            Err(heddle_store::Error::Exists) => {
                Err(Error::Conflict(format!("the username {} is taken", creator.username)))
            }
            other => Ok(other.map(|()| creator)?),
        }
    }

    /// A picture's name, if the account has brought it.
    pub(super) async fn own_picture(&self, owner: UserId, name: &str) -> Result<String, Error> {
        let missing = || Error::Refused("a picture is not there: add it again".to_owned());
        let (digest, _) = pictures::parse(name).ok_or_else(missing)?;
        let own = self.store.pictures(owner).await?;
        match own.iter().any(|(known, _)| *known == digest) {
            true => Ok(name.to_owned()),
            false => Err(missing()),
        }
    }
}
