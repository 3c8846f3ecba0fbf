//! Pictures: taken in as what they look like and nothing else.
//!
//! A file is told by its first bytes, decoded within bounds and encoded anew, so that only pixels are kept: no script, no
//! second file inside, no place where it was taken. Its name is the SHA-256 of what is kept.

use super::Marketplace;
use crate::Error;
use heddle_model::UserId;
use heddle_store::Picture;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::Cursor;
use std::ops::RangeInclusive;

/// Bytes of a file that is taken in.
pub const LARGEST: usize = 5 << 20;
/// Bytes of an application's logo that is taken in, and the pixels at its sides (`auth.md` 5.3).
const LARGEST_LOGO: usize = 3 << 20;
const NO_IMAGE: &str = "Invalid image file";
const LOGO_SIDES: RangeInclusive<u32> = 512..=2_048;
/// Pixels at a side of one that is taken in, and of one that is kept.
const WIDEST: u32 = 8_000;
const KEPT: u32 = 1_600;
/// Memory for decoding.
const MEMORY: u64 = 128 << 20;
/// Pictures an account may have.
const MOST: usize = 300;
/// Those that nothing refers to are kept so long, for a form that is still being filled in.
const UNUSED_SECONDS: i64 = 24 * 3600;

impl Marketplace {
    /// Takes in a picture of the owner's and says its name. [`Error::Refused`] for what is none, or is too large.
    pub async fn add_picture(&self, owner: UserId, file: Vec<u8>) -> Result<String, Error> {
        if file.len() > LARGEST {
            return Err(Error::Refused(format!("a picture has at most {} MB", LARGEST >> 20)));
        }
        self.keep_picture(owner, move || encode_anew(&file)).await
    }

    /// Takes in a picture that is an application's logo and says its name. `kind` is what it was sent as.
    /// [`Error::Refused`] in the words of `auth.md` 5.3.
    pub async fn add_logo(&self, owner: UserId, kind: &str, file: Vec<u8>) -> Result<String, Error> {
        if !matches!(kind, "image/jpeg" | "image/png" | "image/webp") {
            let kind: String = kind.chars().take(100).collect();
            return Err(Error::Refused(format!("Invalid file type. Allowed: JPEG, PNG, WebP. Got: {kind}")));
        }
        if file.len() > LARGEST_LOGO {
            return Err(Error::Refused("File too large. Maximum size is 3MB".to_owned()));
        }
        self.keep_picture(owner, move || {
            check_logo(&file)?;
            encode_anew(&file).map_err(|error| match error {
                Error::Refused(_) => Error::Refused(NO_IMAGE.to_owned()),
                other => other,
            })
        })
        .await
    }

    async fn keep_picture(
        &self,
        owner: UserId,
        read: impl FnOnce() -> Result<Picture, Error> + Send + 'static,
    ) -> Result<String, Error> {
        let left = self.sweep(owner).await?;
        if left >= MOST {
            return Err(Error::Refused(format!("you have {MOST} pictures already; remove some submissions first")));
        }
        let _turn = self.decoding.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
        let read = tokio::task::spawn_blocking(read).await;
        let picture = read.map_err(|error| Error::Internal(error.to_string()))??;
        let digest: [u8; 32] = Sha256::digest(&picture.body).into();
        let name = name(&digest, &picture.kind);
        self.store.put_picture(owner, digest, picture, self.clock.now()).await?;
        Ok(name)
    }

    /// The picture of this name.
    pub async fn picture(&self, name: &str) -> Result<Option<Picture>, Error> {
        let Some((digest, kind)) = parse(name) else { return Ok(None) };
        Ok(self.store.picture(digest).await?.filter(|picture| picture.kind == kind))
    }

    /// Removes the owner's pictures that nothing refers to; how many are left.
    async fn sweep(&self, owner: UserId) -> Result<usize, Error> {
        let own = self.store.pictures(owner).await?;
        let mut used: HashSet<String> = self.store.pictures_in_use(owner).await?.into_iter().collect();
        used.extend(self.store.creator(owner).await?.and_then(|creator| creator.avatar));
        let logos = self.store.logos_in_use().await?;
        used.extend(logos.iter().filter_map(|url| url.rsplit_once('/')).map(|(_, name)| name.to_owned()));
        let used: HashSet<[u8; 32]> = used.iter().filter_map(|name| parse(name)).map(|(digest, _)| digest).collect();
        let before = self.clock.now().plus_seconds(-UNUSED_SECONDS);
        let idle = own.iter().filter(|(digest, at)| *at < before && !used.contains(digest));
        let idle: Vec<[u8; 32]> = idle.map(|(digest, _)| *digest).collect();
        let left = own.len() - idle.len();
        if !idle.is_empty() {
            self.store.delete_pictures(owner, idle).await?;
        }
        Ok(left)
    }
}

fn name(digest: &[u8; 32], kind: &str) -> String {
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}.{kind}")
}

/// Reads a picture's name: its digest and its kind.
pub(super) fn parse(name: &str) -> Option<([u8; 32], &str)> {
    let (digits, kind) = name.split_once('.')?;
    let is_plain = digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_plain || !matches!(kind, "jpeg" | "png") {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(0..) {
        *byte = u8::from_str_radix(&digits[2 * pair..2 * pair + 2], 16).ok()?;
    }
    Some((digest, kind))
}

/// Whether a file's header is that of a logo: the words are the contract's.
fn check_logo(file: &[u8]) -> Result<(), Error> {
    let refused = |why: String| Err(Error::Refused(why));
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format();
    let reader = reader
        .ok()
        .filter(|reader| matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)));
    let Some(Ok((width, height))) = reader.map(ImageReader::into_dimensions) else {
        return refused(NO_IMAGE.to_owned());
    };
    if width != height {
        return refused(format!("Logo must be square. Got {width}x{height}"));
    }
    if width < *LOGO_SIDES.start() {
        return refused(format!("Logo too small. Minimum 512x512. Got {width}x{height}"));
    }
    if width > *LOGO_SIDES.end() {
        return refused(format!("Logo too large. Maximum 2048x2048. Got {width}x{height}"));
    }
    Ok(())
}

/// Only its pixels, upright, no larger than they are shown.
fn encode_anew(file: &[u8]) -> Result<Picture, Error> {
    let refused = |why: &str| Error::Refused(why.to_owned());
    let unreadable = "this file is not a picture that can be read: use PNG, JPEG, WebP or GIF";
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| refused(unreadable))?;
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif];
    if !reader.format().is_some_and(|format| known.contains(&format)) {
        return Err(refused(unreadable));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(WIDEST);
    limits.max_image_height = Some(WIDEST);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let too_large = || Error::Refused(format!("a picture has at most {WIDEST} pixels at a side, 32 million in all"));
    let failed = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => too_large(),
        _ => refused(unreadable),
    };
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if width > WIDEST || height > WIDEST || u64::from(width) * u64::from(height) * 4 > MEMORY {
        return Err(too_large());
    }
    let orientation = decoder.orientation().map_err(failed)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    picture.apply_orientation(orientation);
    if picture.width() > KEPT || picture.height() > KEPT {
        picture = picture.thumbnail(KEPT, KEPT);
    }
    let failed = |error: image::ImageError| Error::Internal(format!("a picture could not be written: {error}"));
    let mut body = Cursor::new(Vec::new());
    let is_clear = picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255);
    let kind = if is_clear {
        DynamicImage::ImageRgba8(picture.to_rgba8()).write_to(&mut body, ImageFormat::Png).map_err(failed)?;
        "png"
    } else {
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut body, 86);
        DynamicImage::ImageRgb8(picture.to_rgb8()).write_with_encoder(encoder).map_err(failed)?;
        "jpeg"
    };
    let (width, height) = (picture.width().into(), picture.height().into());
    Ok(Picture { kind: kind.to_owned(), width, height, body: body.into_inner() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u32, height: u32, alpha: u8, format: ImageFormat) -> Vec<u8> {
        let pixels = image::RgbaImage::from_fn(width, height, |x, y| image::Rgba([x as u8, y as u8, 90, alpha]));
        let mut file = Cursor::new(Vec::new());
        let picture = DynamicImage::ImageRgba8(pixels);
        match format {
            ImageFormat::Jpeg => DynamicImage::ImageRgb8(picture.to_rgb8()).write_to(&mut file, format).unwrap(),
            _ => picture.write_to(&mut file, format).unwrap(),
        }
        file.into_inner()
    }

    #[test]
    fn pictures_are_kept_as_pixels() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
            let mut file = drawn(40, 30, 255, format);
            file.extend(b"<script>alert(1)</script>");
            let picture = encode_anew(&file).unwrap();
            assert_eq!((picture.kind.as_str(), picture.width, picture.height), ("jpeg", 40, 30), "{format:?}");
            assert!(!picture.body.windows(8).any(|part| part == b"<script>"), "{format:?}");
        }
        assert_eq!(encode_anew(&drawn(8, 8, 100, ImageFormat::Png)).unwrap().kind, "png");
    }

    #[test]
    fn large_ones_are_made_smaller() {
        let picture = encode_anew(&drawn(3_200, 100, 255, ImageFormat::Png)).unwrap();
        assert_eq!((picture.width, picture.height), (1_600, 50));
        let refused = encode_anew(&drawn(WIDEST + 1, 1, 255, ImageFormat::Png)).unwrap_err().to_string();
        assert!(refused.contains("pixels at a side"), "{refused}");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let mut cut = drawn(40, 30, 255, ImageFormat::Png);
        cut.truncate(60);
        // A header that promises 60,000 by 60,000 pixels.
        let mut bomb = drawn(1, 1, 255, ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
        for file in [Vec::new(), svg, b"<!doctype html>".to_vec(), b"BM000000".to_vec(), cut, bomb] {
            assert!(matches!(encode_anew(&file), Err(Error::Refused(_))), "{:?}", &file[..file.len().min(8)]);
        }
    }

    #[test]
    fn logos_are_square_and_neither_small_nor_large() {
        let checked = |width, height, format| check_logo(&drawn(width, height, 255, format)).map_err(|e| e.to_string());
        for side in [512, 2_048] {
            assert_eq!(checked(side, side, ImageFormat::Png), Ok(()), "{side}");
        }
        assert_eq!(checked(512, 512, ImageFormat::WebP), Ok(()));
        for (width, height, format, expected) in [
            (512, 513, ImageFormat::Jpeg, "Logo must be square. Got 512x513"),
            (511, 511, ImageFormat::Png, "Logo too small. Minimum 512x512. Got 511x511"),
            (2_049, 2_049, ImageFormat::Jpeg, "Logo too large. Maximum 2048x2048. Got 2049x2049"),
            (600, 600, ImageFormat::Gif, "Invalid image file"),
        ] {
            assert_eq!(checked(width, height, format), Err(expected.to_owned()));
        }
        assert_eq!(check_logo(b"<svg/>").unwrap_err().to_string(), "Invalid image file");
    }

    #[test]
    fn names_are_digests() {
        let digest = [0xab; 32];
        let name = name(&digest, "png");
        assert_eq!(parse(&name), Some((digest, "png")));
        for bad in ["", "a.png", &name.to_uppercase(), &name.replace(".png", ".svg"), &format!("{name}.png")] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
