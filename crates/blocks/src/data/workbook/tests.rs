use super::*;
use std::io::Write;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const WORKBOOK: &str = r#"<workbook xmlns="m" xmlns:r="o"><workbookPr/><sheets>
    <sheet name="One" sheetId="7" r:id="rId3"/><sheet name="Two" sheetId="8" r:id="rId1"/></sheets></workbook>"#;
const RELATIONS: &str = r#"<Relationships><Relationship Id="rId1" Target="worksheets/other.xml"/>
    <Relationship Id="rId3" Target="worksheets/first.xml"/></Relationships>"#;
const SHARED: &str = r#"<sst><si><t>name</t></si><si><r><t>rich </t></r><r><t xml:space="preserve">text</t></r></si>
    <si><t>漢字</t><rPh sb="0" eb="2"><t>かんじ</t></rPh></si><si/></sst>"#;
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd hh:mm"/></numFmts>
    <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a part");
        writer.write_all(text.as_bytes()).expect("a text");
    }
    writer.finish().expect("an archive").into_inner()
}

fn workbook(sheet: &str) -> Vec<u8> {
    archive(&[
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/sharedStrings.xml", SHARED),
        ("xl/styles.xml", STYLES),
        ("xl/worksheets/other.xml", "<worksheet/>"),
        ("xl/worksheets/first.xml", &format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>")),
    ])
}

fn read(sheet: &str) -> Result<Vec<Vec<String>>, String> {
    first_sheet(&workbook(sheet), 1000)
}

#[test]
fn cells_of_every_kind_become_texts() {
    for (cell, text) in [
        (r#"<c t="s"><v>0</v></c>"#, "name"),
        (r#"<c t="s"><v>1</v></c>"#, "rich text"),
        (r#"<c t="s"><v>2</v></c>"#, "漢字"),
        (r#"<c t="s"><v>3</v></c>"#, ""),
        (r#"<c t="s"><v>99</v></c>"#, ""),
        ("<c><v>12</v></c>", "12"),
        ("<c><v>12.0</v></c>", "12"),
        ("<c><v>0.10000000000000001</v></c>", "0.1"),
        ("<c><v>1E-3</v></c>", "0.001"),
        (r#"<c t="n"><v>what</v></c>"#, "what"),
        (r#"<c t="b"><v>1</v></c>"#, "True"),
        (r#"<c t="b"><v>0</v></c>"#, "False"),
        (r#"<c t="e"><v>#N/A</v></c>"#, ""),
        (r#"<c t="str"><f>A1&amp;B1</f><v>a &lt;b&gt; &#233;</v></c>"#, "a <b> é"),
        (r#"<c t="inlineStr"><is><t>in line</t></is></c>"#, "in line"),
        (r#"<c s="1"><v>46000</v></c>"#, "2025-12-09"),
        (r#"<c s="2"><v>46000.75</v></c>"#, "2025-12-09 18:00:00"),
        (r#"<c s="1"><v>1e300</v></c>"#, "1e300"),
        (r#"<c s="2"/>"#, ""),
    ] {
        assert_eq!(read(&format!("<row>{cell}</row>")), Ok(vec![vec![text.to_owned()]]), "{cell}");
    }
}

#[test]
fn gaps_are_blank() {
    let sheet = r#"<row r="2"><c r="B2"><v>1</v></c><c r="D2"><v>2</v></c></row><row r="4"><c><v>3</v></c></row>"#;
    let expected: [&[&str]; 4] = [&[], &["", "1", "", "2"], &[], &["3"]];
    assert_eq!(read(sheet).expect("a sheet"), expected);
}

#[test]
fn days_may_be_counted_from_1904() {
    let bytes = archive(&[
        ("xl/workbook.xml", r#"<workbook><workbookPr date1904="1"/><sheet r:id="a"/></workbook>"#),
        ("xl/_rels/workbook.xml.rels", r#"<R><Relationship Id="a" Target="/sheet.xml"/></R>"#),
        ("xl/styles.xml", STYLES),
        ("sheet.xml", r#"<row><c s="1"><v>1</v></c></row>"#),
    ]);
    assert_eq!(first_sheet(&bytes, 9), Ok(vec![vec!["1904-01-02".to_owned()]]));
}

#[test]
fn cells_far_out_do_not_take_what_lies_before_them() {
    for sheet in [
        r#"<row r="1048576"/>"#,
        r#"<row r="18446744073709551615"/>"#,
        r#"<row r="1"><c r="XFD1"/></row>"#,
        &"<row/>".repeat(1001),
    ] {
        assert_eq!(read(sheet), Err("the sheet has too many cells".to_owned()), "{}", &sheet[..20.min(sheet.len())]);
    }
}

#[test]
fn what_is_no_workbook_is_refused() {
    let whole = workbook("<row><c><v>1</v></c></row>");
    assert_eq!(first_sheet(&whole[..whole.len() / 2], 9), Err(damaged()));
    for sheet in
        ["<row", "</row></row>", r#"<row><c r="AAAA1"/></row>"#, "<c><v>1</v></c>", "<row><c><v>&own;</v></c></row>"]
    {
        assert_eq!(read(sheet), Err(damaged()), "{sheet}");
    }
    assert_eq!(first_sheet(&archive(&[("a", "b")]), 9), Err(damaged()));
    assert!(is_one(&whole) && !is_one(b"a,b"));
    let old = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    assert!(is_one(&old) && first_sheet(&old, 9).is_err_and(|text| text.contains(".xls")));
}

#[test]
fn a_part_that_unpacks_to_too_much_is_refused() {
    let bomb = " ".repeat(MAX_PART as usize + 1);
    let bytes = archive(&[("xl/workbook.xml", &bomb)]);
    assert!(bytes.len() < 200_000);
    assert_eq!(first_sheet(&bytes, 9), Err("the workbook is too large".to_owned()));
}
