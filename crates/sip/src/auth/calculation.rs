use super::{Algorithm, Secret};

/// What a response protects (RFC 7616 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Qop {
    Auth,
    AuthInt,
}

impl Qop {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Auth, Self::AuthInt];
        all.into_iter()
            .find(|qop| qop.as_str().eq_ignore_ascii_case(text))
    }
}

/// Everything that a digest response is made of, less the secret.
#[derive(Debug)]
pub(super) struct Calculation<'a> {
    pub(super) algorithm: Algorithm,
    /// Whether the algorithm is the `-sess` variant.
    pub(super) session: bool,
    pub(super) username: &'a str,
    pub(super) realm: &'a str,
    pub(super) nonce: &'a str,
    pub(super) cnonce: &'a str,
    /// `nc` as it is written: eight hex digits.
    pub(super) count: &'a str,
    /// `None` for servers of before RFC 2617.
    pub(super) qop: Option<Qop>,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) body: &'a [u8],
}

impl Calculation<'_> {
    /// The response (RFC 7616 §3.4.1); `None` if the secret can't answer this algorithm.
    pub(super) fn response(&self, secret: &Secret) -> Option<String> {
        let hash = |parts: &[&str]| {
            let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
            self.algorithm.hash(&parts)
        };
        let base = match secret {
            Secret::Password(password) => hash(&[self.username, self.realm, password]),
            Secret::Ha1 { algorithm, hex } if *algorithm == self.algorithm => hex.clone(),
            Secret::Ha1 { .. } | Secret::Bearer(_) => return None,
        };
        let ha1 = match self.session {
            true => hash(&[&base, self.nonce, self.cnonce]),
            false => base,
        };
        let ha2 = match self.qop {
            Some(Qop::AuthInt) => {
                hash(&[self.method, self.uri, &self.algorithm.hash(&[self.body])])
            }
            Some(Qop::Auth) | None => hash(&[self.method, self.uri]),
        };
        Some(match self.qop {
            None => hash(&[&ha1, self.nonce, &ha2]),
            Some(qop) => hash(&[
                &ha1,
                self.nonce,
                self.count,
                self.cnonce,
                qop.as_str(),
                &ha2,
            ]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc7616(algorithm: Algorithm) -> Calculation<'static> {
        Calculation {
            algorithm,
            session: false,
            username: "Mufasa",
            realm: "http-auth@example.org",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            count: "00000001",
            qop: Some(Qop::Auth),
            method: "GET",
            uri: "/dir/index.html",
            body: b"",
        }
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let secret = Secret::Password("Circle of Life".into());
        assert_eq!(
            rfc7616(Algorithm::Md5).response(&secret).unwrap(),
            "8ca523f5e9506fed4657c9700eebdbec"
        );
        assert_eq!(
            rfc7616(Algorithm::Sha256).response(&secret).unwrap(),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    #[test]
    fn sha_512_256_comes_out_as_openssl_computes_it() {
        // The inputs of RFC 7616 §3.9.2; the response comes from another implementation.
        let calculation = Calculation {
            algorithm: Algorithm::Sha512_256,
            username: "J\u{e4}s\u{f8}n Doe",
            realm: "api@example.org",
            nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
            uri: "/doe.json",
            ..rfc7616(Algorithm::Sha512_256)
        };
        assert_eq!(
            calculation
                .response(&Secret::Password("Secret, or not?".into()))
                .unwrap(),
            "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"
        );
    }

    #[test]
    fn an_ha1_answers_its_own_algorithm_only() {
        let password = Secret::Password("Circle of Life".into());
        let base = Algorithm::Md5.hash(&[b"Mufasa", b"http-auth@example.org", b"Circle of Life"]);
        let ha1 = Secret::ha1(&base.to_uppercase()).unwrap();
        let md5 = rfc7616(Algorithm::Md5);
        assert_eq!(md5.response(&ha1), md5.response(&password));
        assert_eq!(rfc7616(Algorithm::Sha256).response(&ha1), None);
    }

    #[test]
    fn the_example_of_rfc_2617_without_qop_comes_out() {
        let calculation = Calculation {
            realm: "testrealm@host.com",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            qop: None,
            ..rfc7616(Algorithm::Md5)
        };
        let secret = Secret::Password("Circle Of Life".into());
        assert_eq!(
            calculation.response(&secret).unwrap(),
            "670fd8c2df070c60b045671b8b24ff02"
        );
    }
}
