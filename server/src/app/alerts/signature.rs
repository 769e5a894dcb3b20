//! What proves to a receiver that a message comes from this server: `Tyr-Signature: t=SECONDS,v1=HEX`.

use aws_lc_rs::hmac;

/// HMAC-SHA256 with the webhook's secret over `{at}.{body}`, in the header's form. `at` is seconds since the epoch: part of what is
/// signed, so that a receiver can refuse what somebody recorded and plays again later.
pub fn sign(secret: &str, at: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{at}.").as_bytes());
    context.update(body);
    format!("t={at},v1={}", hex::encode(context.sign()))
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn agrees_with_another_implementation() {
        // printf '1790000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of sixteen or more'
        assert_eq!(
            sign("a secret of sixteen or more", 1_790_000_000, b"{\"a\":1}"),
            "t=1790000000,v1=6d9695eb242a1d132f43939f4764cee7c8c3a089b5c8133e917f29aeb9069da2"
        );
    }
}
