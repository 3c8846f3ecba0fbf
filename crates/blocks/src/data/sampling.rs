//! Picks some elements of a list, by one of eight methods.
//!
//! The picks repeat for the same seed; they are not the picks of Python's generator.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_engine::bounds;
use heddle_engine::ports::Failure;
use heddle_model::{Value, python};
use std::collections::{BinaryHeap, HashMap};

pub(crate) const BLOCK: Block = Block::local("4a448883-71fa-49cf-91cf-70d793bd7d87", run);

/// Bytes of a sample: drawing with replacement may take one large element many times.
const MAX_BYTES: usize = 64 * 1024 * 1024;

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    let data = match input.take("data") {
        Value::Array(items) => items,
        single => vec![single],
    };
    let size = usize::try_from(input.integer("sample_size").unwrap_or(10))
        .map_err(|_| refuse("sample_size must not be negative"))?;
    if input.flag("accumulate", false) && data.len() < size {
        // Each execution collects for itself, so there is nothing to add to yet.
        return Ok(());
    }
    if size > data.len() {
        return Err(refuse(format!("sample_size ({size}) is larger than the data ({} elements)", data.len())));
    }
    let seed = input.integer("random_seed").map_or(cx.seed, |seed| seed.cast_unsigned());
    let picks = pick(&mut input, &data, size, &mut Random(seed))?;
    let sizes: Vec<usize> = data.iter().map(bounds::size).collect();
    if picks.iter().fold(0, |sum: usize, &index| sum.saturating_add(sizes[index])) > MAX_BYTES {
        return Err(refuse("the sample is larger than 64 MB"));
    }
    let sampled: Vec<Value> = picks.iter().map(|&index| data[index].clone()).collect();
    out.emit("sampled_data", sampled)?;
    out.emit("sample_indices", picks)
}

fn pick(input: &mut Input, data: &[Value], size: usize, random: &mut Random) -> Result<Vec<usize>, Failure> {
    let count = data.len();
    Ok(match input.text("sampling_method").as_str() {
        "top" => (0..size).collect(),
        "bottom" => (count - size..count).collect(),
        "systematic" if size > 0 => {
            let step = count / size;
            let start = random.below(step);
            (start..count).step_by(step).take(size).collect()
        }
        "systematic" => Vec::new(),
        "stratified" => stratified(groups(data, &input.text("stratify_key"), "stratify_key")?, count, size, random),
        "weighted" => weighted(data, &input.text("weight_key"), size, random)?,
        "cluster" => clusters(groups(data, &input.text("cluster_key"), "cluster_key")?, size, random),
        "reservoir" => reservoir(count, size, random),
        _ => random.sample((0..count).collect(), size),
    })
}

/// Indexes of the elements by their value under a key, in order of appearance.
fn groups(data: &[Value], key: &str, pin: &str) -> Result<Vec<Vec<usize>>, Failure> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut places = HashMap::new();
    for (index, item) in data.iter().enumerate() {
        let value = python::json_compact(member(item, key, pin)?);
        let place = *places.entry(value).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(index);
    }
    Ok(groups)
}

fn member<'a>(item: &'a Value, key: &str, pin: &str) -> Result<&'a Value, Failure> {
    if key.is_empty() {
        return Err(refuse(format!("{pin} is needed for this method")));
    }
    item.get(key).ok_or_else(|| refuse(format!("an element has no key '{key}'")))
}

/// A share of each group, at least one; the largest share takes up what does not come out even.
fn stratified(groups: Vec<Vec<usize>>, count: usize, size: usize, random: &mut Random) -> Vec<usize> {
    let mut shares: Vec<usize> = groups.iter().map(|group| (size * group.len() / count.max(1)).max(1)).collect();
    let mut sum: usize = shares.iter().sum();
    let can_change = |at: usize, share: usize| sum > size || share < groups[at].len();
    let changeable = shares.iter().enumerate().filter(|&(at, share)| can_change(at, *share));
    let mut largest: BinaryHeap<(usize, usize)> = changeable.map(|(at, &share)| (share, at)).collect();
    while sum != size {
        let Some((share, at)) = largest.pop() else { break };
        if sum > size {
            (shares[at], sum) = (share - 1, sum - 1);
            largest.push((share - 1, at));
        } else {
            (shares[at], sum) = (share + 1, sum + 1);
            if share + 1 < groups[at].len() {
                largest.push((share + 1, at));
            }
        }
    }
    groups.into_iter().zip(shares).flat_map(|(group, share)| random.sample(group, share)).collect()
}

fn weighted(data: &[Value], key: &str, size: usize, random: &mut Random) -> Result<Vec<usize>, Failure> {
    let mut total = 0.0;
    let mut sums = Vec::with_capacity(data.len());
    for item in data {
        let weight = member(item, key, "weight_key")?.as_f64().filter(|weight| *weight >= 0.0 && weight.is_finite());
        total += weight.ok_or_else(|| refuse("weights must be numbers of at least 0"))?;
        sums.push(total);
    }
    if total <= 0.0 && size > 0 {
        return Err(refuse("the total of the weights must be greater than 0"));
    }
    let last = data.len().saturating_sub(1);
    Ok((0..size).map(|_| sums.partition_point(|sum| *sum <= random.unit() * total).min(last)).collect())
}

/// Whole groups until there are enough elements, then cut down to the size.
fn clusters(groups: Vec<Vec<usize>>, size: usize, random: &mut Random) -> Vec<usize> {
    let count = groups.len();
    let mut drawn = Vec::new();
    for group in random.sample((0..count).collect(), count) {
        if drawn.len() >= size {
            break;
        }
        drawn.extend(&groups[group]);
    }
    if drawn.len() > size { random.sample(drawn, size) } else { drawn }
}

fn reservoir(count: usize, size: usize, random: &mut Random) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..size).collect();
    for index in size..count {
        if let Some(place) = kept.get_mut(random.below(index + 1)) {
            *place = index;
        }
    }
    kept
}

/// SplitMix64: small, and the same on every machine, so that a recorded seed gives the same picks for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to `bound`, without it.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// A number from 0 up to 1, without it.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// So many of the items, in random order.
    fn sample(&mut self, mut items: Vec<usize>, size: usize) -> Vec<usize> {
        let size = size.min(items.len());
        for place in 0..size {
            let other = place + self.below(items.len() - place);
            items.swap(place, other);
        }
        items.truncate(size);
        items
    }
}
