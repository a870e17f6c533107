//! Whether an ID token can be believed (OpenID Connect Core 1.0, section 3.1.3.7). `jsonwebtoken` holds the claims against what is
//! wanted, ring does the arithmetic. Only signatures that the issuer alone can make count: none with a shared secret, and not none.

use std::sync::Once;

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind, EncodingKey, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    decode, decode_header,
    errors::{Error, ErrorKind},
    jwk::Jwk,
    signature,
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Map, Value};

use super::{Fault, issuer::Issuer};

/// Who must have said it, and to whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
}

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 60;

/// What a token says that this issuer signed, for this client, and that holds now.
pub(super) async fn claims(issuer: &Issuer, token: &str, wanted: Wanted<'_>) -> Result<Map<String, Value>, Fault> {
    let header = decode_header(token).map_err(|error| unbelievable(&error))?;
    let fits = |key: &&Jwk| {
        // A token without a name for its key may be signed with any.
        let named = header.kid.is_none() || key.common.key_id == header.kid;
        named && key.common.key_algorithm.is_none_or(|algorithm| algorithm.to_string() == format!("{:?}", header.alg))
    };
    let mut known = issuer.known().await?;
    if !known.keys.iter().any(|key| fits(&key)) {
        known = issuer.with_new_keys().await?;
    }
    let keys: Vec<&Jwk> = known.keys.iter().filter(fits).collect();
    let mut last = Fault::Unbelievable("the issuer has no key that its token names".into());
    for key in keys {
        match held(token, key, header.alg, wanted) {
            Ok(claims) => return Ok(claims),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

fn held(token: &str, key: &Jwk, algorithm: Algorithm, wanted: Wanted<'_>) -> Result<Map<String, Value>, Fault> {
    let key = DecodingKey::from_jwk(key).map_err(|error| unbelievable(&error))?;
    let mut must = Validation::new(algorithm);
    must.leeway = LEEWAY;
    must.validate_nbf = true;
    must.set_issuer(&[wanted.issuer]);
    must.set_audience(&[wanted.client]);
    must.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims = decode::<Map<String, Value>>(token, &key, &must).map_err(|error| unbelievable(&error))?.claims;
    let party = claims.get("azp").map(|party| party.as_str().unwrap_or_default());
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|aud| aud.len() > 1);
    if party.is_some_and(|party| party != wanted.client) || (several && party.is_none()) {
        return Err(Fault::Unbelievable("the token is for somebody else: `azp`".into()));
    }
    Ok(claims)
}

fn unbelievable(error: &Error) -> Fault {
    Fault::Unbelievable(match error.kind() {
        ErrorKind::InvalidSignature => "its signature is not the issuer's".into(),
        ErrorKind::InvalidIssuer => "it is another issuer's: `iss`".into(),
        ErrorKind::InvalidAudience => "it is for somebody else: `aud`".into(),
        ErrorKind::ExpiredSignature => "it has expired: `exp`; is this server's clock right?".into(),
        ErrorKind::ImmatureSignature => "it holds later only: `nbf`; is this server's clock right?".into(),
        ErrorKind::InvalidAlgorithm => "it is signed in a way that is not believed here".into(),
        _ => error.to_string(),
    })
}

/// Has `jsonwebtoken` do its arithmetic with ring.
pub(super) fn choose_arithmetic() {
    static ONCE: Once = Once::new();
    static RING: CryptoProvider = CryptoProvider {
        signer_factory: |_: &Algorithm, _: &EncodingKey| -> Result<Box<dyn JwtSigner>, Error> {
            // Nothing is signed here.
            Err(ErrorKind::InvalidAlgorithm.into())
        },
        verifier_factory: verifier,
        key_utils: KeyUtils::new_unimplemented(),
    };
    ONCE.call_once(|| {
        if RING.install_default().is_err() {
            tracing::error!("somebody else has chosen how ID tokens are looked at");
        }
    });
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let rsa = |parameters| match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            let plain = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect();
            Ok(Key::Rsa(parameters, RsaPublicKeyComponents { n: plain(n), e: plain(e) }))
        }
        DecodingKeyKind::SecretOrDer(_) => Err(Error::from(ErrorKind::InvalidKeyFormat)),
    };
    let point = |how: &'static dyn VerificationAlgorithm| {
        Ok::<_, Error>(Key::Point(UnparsedPublicKey::new(how, key.try_get_as_bytes()?.to_vec())))
    };
    let key = match algorithm {
        Algorithm::RS256 => rsa(&RSA_PKCS1_2048_8192_SHA256)?,
        Algorithm::RS384 => rsa(&RSA_PKCS1_2048_8192_SHA384)?,
        Algorithm::RS512 => rsa(&RSA_PKCS1_2048_8192_SHA512)?,
        Algorithm::PS256 => rsa(&RSA_PSS_2048_8192_SHA256)?,
        Algorithm::PS384 => rsa(&RSA_PSS_2048_8192_SHA384)?,
        Algorithm::PS512 => rsa(&RSA_PSS_2048_8192_SHA512)?,
        Algorithm::ES256 => point(&ECDSA_P256_SHA256_FIXED)?,
        Algorithm::ES384 => point(&ECDSA_P384_SHA384_FIXED)?,
        Algorithm::EdDSA => point(&ED25519)?,
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    Ok(Box::new(Ring { algorithm: *algorithm, key }))
}

struct Ring {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa(&'static RsaParameters, RsaPublicKeyComponents<Vec<u8>>),
    Point(UnparsedPublicKey<Vec<u8>>),
}

impl signature::Verifier<Vec<u8>> for Ring {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> Result<(), signature::Error> {
        let fits = match &self.key {
            Key::Rsa(parameters, key) => key.verify(parameters, message, signed),
            Key::Point(key) => key.verify(message, signed),
        };
        fits.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Ring {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, appendix A.3, and RFC 8037, appendix A.4: examples that others computed.
    #[test]
    fn signatures_of_the_standards_fit_and_others_do_not() {
        let curve = DecodingKey::from_ec_components(
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        );
        let es256 = (
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        );
        let edwards = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let eddsa = (
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        );
        choose_arithmetic();
        for (algorithm, key, (message, signed)) in
            [(Algorithm::ES256, curve, es256), (Algorithm::EdDSA, edwards, eddsa)]
        {
            let key = key.expect("a key of a standard");
            let fits = |message: &str| jsonwebtoken::crypto::verify(signed, message.as_bytes(), &key, algorithm);
            assert_eq!(fits(message).ok(), Some(true), "{algorithm:?}");
            assert_eq!(fits(&message.replace('9', "8")).ok(), Some(false), "{algorithm:?}");
        }
        let secret = DecodingKey::from_secret(b"shared");
        assert!(verifier(&Algorithm::HS256, &secret).is_err(), "whoever knows the client's secret is no issuer");
    }
}
