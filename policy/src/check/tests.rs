use crate::policy::Policy;

#[test]
fn refuses_an_empty_document() {
    assert_eq!(Policy::parse("").unwrap_err().to_string(), "line 1, column 1: the document is empty");
}
