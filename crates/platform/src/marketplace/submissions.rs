//! Handing agents in.

use super::{Marketplace, text};
use crate::plans::not_found;
use crate::{Error, Page, PageRequest, Principal};
use heddle_model::cron::Cron;
use heddle_model::{Graph, GraphId, ListingId, ListingVersionId, UserId, Value, export};
use heddle_store::{Submission, SubmissionStatus, SubmissionText, Submitted};

/// Categories that are proposed; others are as good.
pub const CATEGORIES: &[&str] = &[
    "business",
    "communication",
    "data",
    "development",
    "education",
    "entertainment",
    "finance",
    "health",
    "marketing",
    "other",
    "personal",
    "productivity",
    "research",
    "sales",
    "support",
    "writing",
];

/// Letters of each text, and how many there are of lists.
const NAME: usize = 100;
const SLUG: usize = 80;
const SUB_HEADING: usize = 200;
const LONG: usize = 10_000;
const CHANGES: usize = 1_000;
const CATEGORY: usize = 40;
const MOST_CATEGORIES: usize = 5;
const MOST_IMAGES: usize = 8;

/// What a creator hands in.
#[derive(Clone, Debug, Default)]
pub struct NewSubmission {
    /// Graph id as it came in.
    pub graph: String,
    /// Its version.
    pub graph_version: i64,
    /// The listing's name in addresses; without one, made of the name. A graph that has a listing keeps its own.
    pub slug: String,
    /// What is said of it.
    pub text: SubmissionText,
    /// To go on later, not to be reviewed yet.
    pub is_draft: bool,
}

impl Marketplace {
    /// Hands in a version of one of the caller's graphs, for review or as a draft. Others get a copy without secrets, which
    /// is made now. [`Error::NotFound`] when the caller has no such version; [`Error::Refused`] without a profile or with a
    /// text out of bounds, or when another of his listings has the slug.
    pub async fn submit(&self, caller: &Principal, new: NewSubmission) -> Result<Submission, Error> {
        let owner = caller.user;
        let missing = || Error::NotFound(not_found(&new.graph));
        let graph = GraphId::parse(&new.graph).ok_or_else(missing)?;
        let known = self.plans.find(owner, graph, new.graph_version).await?.ok_or_else(missing)?;
        if known.stored.author != owner {
            return Err(missing());
        }
        if self.store.creator(owner).await?.is_none() {
            return Err(Error::Refused("make your creator profile first: it says whose agents they are".to_owned()));
        }
        let given = if new.slug.trim().is_empty() { &new.text.name } else { &new.slug };
        let slug = text::slug(given);
        if slug.is_empty() || slug.len() > SLUG {
            return Err(Error::Refused(format!(
                "a name for addresses has 1 to {SLUG} letters from a to z, digits and hyphens"
            )));
        }
        let text = self.checked(owner, new.text).await?;
        let copies = self.copies(owner, &known.stored.graph).await?;
        let id = ListingVersionId::from_random(self.clock.random());
        let submitted = Submitted {
            id,
            listing: ListingId::from_random(self.clock.random()),
            owner,
            organization: caller.organization,
            slug,
            graph,
            graph_version: new.graph_version,
            text,
            status: status(new.is_draft),
            at: self.clock.now(),
        };
        match self.store.submit(submitted, &copies).await {
            Err(heddle_store::Error::Exists) => {
                Err(Error::Refused("another of your agents has this name for addresses".to_owned()))
            }
            other => {
                other?;
                self.submission(owner, &id.to_string()).await
            }
        }
    }

    /// Changes what a submission says that was not approved; a rejected one is handed in anew by it.
    /// [`Error::NotFound`] when the owner has no such one, [`Error::Refused`] for one that was approved.
    pub async fn edit(
        &self,
        owner: UserId,
        id: &str,
        text: SubmissionText,
        is_draft: bool,
    ) -> Result<Submission, Error> {
        let known = self.submission(owner, id).await?;
        let approved = || Error::Refused("an approved version does not change: hand in a new one".to_owned());
        if known.status == SubmissionStatus::Approved {
            return Err(approved());
        }
        let text = self.checked(owner, text).await?;
        match self.store.resubmit(owner, known.id, text, status(is_draft), self.clock.now()).await {
            Err(heddle_store::Error::NotFound) => Err(approved()),
            other => {
                other?;
                self.submission(owner, id).await
            }
        }
    }

    /// One of the owner's submissions. [`Error::NotFound`]: `Submission #<id> not found`
    pub async fn submission(&self, owner: UserId, id: &str) -> Result<Submission, Error> {
        let missing = || Error::NotFound(format!("Submission #{id} not found"));
        let found = self.store.submission(owner, ListingVersionId::parse(id).ok_or_else(missing)?).await?;
        found.ok_or_else(missing)
    }

    /// The owner's submissions, last handed in first.
    pub async fn submissions(&self, owner: UserId, page: PageRequest) -> Result<Page<Submission>, Error> {
        Ok(page.of(self.store.submissions(owner, page.paging()).await?, |submission| submission))
    }

    /// The agent file of one of the owner's submissions, as others get it.
    pub async fn shared_file(&self, owner: UserId, id: &str) -> Result<Value, Error> {
        let submission = self.submission(owner, id).await?;
        self.file(&submission).await
    }

    /// Removes a submission that was not approved. [`Error::NotFound`] when there is none, approved ones included.
    pub async fn delete_submission(&self, owner: UserId, id: &str) -> Result<(), Error> {
        let missing = || Error::NotFound(format!("Submission #{id} not found"));
        let parsed = ListingVersionId::parse(id).ok_or_else(missing)?;
        match self.store.delete_submission(owner, parsed).await? {
            true => Ok(()),
            false => Err(missing()),
        }
    }

    /// Takes a listing of the owner's off the marketplace. Libraries and runs that have it keep it.
    pub async fn withdraw(&self, owner: UserId, listing: ListingId) -> Result<(), Error> {
        match self.store.withdraw_listing(owner, listing, self.clock.now()).await? {
            true => Ok(()),
            false => Err(Error::NotFound("this agent is not on the marketplace".to_owned())),
        }
    }

    /// The copies that others get of a graph and of the owner's agents that it calls.
    async fn copies(&self, owner: UserId, main: &Graph) -> Result<Vec<Graph>, Error> {
        let mut copies = vec![export::published(main, &*self.registry)];
        for (id, version) in self.called(owner, main.id, main.version).await? {
            if let Some(sub) = self.plans.find(owner, id, version).await? {
                copies.push(export::published(&sub.stored.graph, &*self.registry));
            }
        }
        Ok(copies)
    }

    /// The texts within their bounds.
    async fn checked(&self, owner: UserId, given: SubmissionText) -> Result<SubmissionText, Error> {
        let mut categories: Vec<String> = Vec::new();
        for category in &given.categories {
            let category = text::bounded("a category", category, CATEGORY, false)?.to_lowercase();
            if !category.is_empty() && !categories.contains(&category) {
                categories.push(category);
            }
        }
        if categories.len() > MOST_CATEGORIES {
            return Err(Error::Refused(format!("an agent is in at most {MOST_CATEGORIES} categories")));
        }
        if given.images.len() > MOST_IMAGES {
            return Err(Error::Refused(format!("an agent has at most {MOST_IMAGES} pictures")));
        }
        for image in &given.images {
            self.own_picture(owner, image).await?;
        }
        let schedule = given.schedule.as_deref().map(str::trim).filter(|cron| !cron.is_empty());
        if let Some(cron) = schedule {
            cron.parse::<Cron>().map_err(|error| Error::Refused(error.to_string()))?;
        }
        Ok(SubmissionText {
            name: text::required("the name", &given.name, NAME, false)?,
            sub_heading: text::required("the line below the name", &given.sub_heading, SUB_HEADING, false)?,
            description: text::required("the description", &given.description, LONG, true)?,
            instructions: text::optional("the instructions", given.instructions.as_deref(), LONG)?,
            categories,
            images: given.images,
            video: text::optional_address("the video", given.video.as_deref())?,
            output_demo: text::optional_address("the sample of what comes out", given.output_demo.as_deref())?,
            schedule: schedule.map(str::to_owned),
            changes: text::optional("what is new", given.changes.as_deref(), CHANGES)?,
        })
    }
}

fn status(is_draft: bool) -> SubmissionStatus {
    if is_draft { SubmissionStatus::Draft } else { SubmissionStatus::Pending }
}
