use crate::{BadProxy, Proxy, Scheme};

/// A PAC answer names a few; what comes later is not tried.
const MOST_ROUTES: usize = 8;

/// One way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Without a proxy.
    Direct,
    /// Through this one.
    Through(Proxy),
}

/// Reads what a function has answered: a proxy's URL, or what a PAC script's `FindProxyForURL` gives, such as
/// `PROXY proxy.example.com:3128; DIRECT`. At least one, in the order in which they are tried.
pub fn routes(answer: &str) -> Result<Vec<Route>, BadProxy> {
    if answer.trim().is_empty() {
        return Err(BadProxy::Empty);
    }
    if answer.contains("://") {
        return answer.parse().map(|proxy| vec![Route::Through(proxy)]);
    }
    let entries = answer.split(';').map(str::trim).filter(|e| !e.is_empty());
    let usable: Vec<_> = entries.filter_map(route).take(MOST_ROUTES).collect();
    match usable.is_empty() {
        true => Err(BadProxy::List),
        false => Ok(usable),
    }
}

/// `None` if we can't go that way: another entry may be one that we can.
fn route(entry: &str) -> Option<Route> {
    let (kind, authority) = match entry.split_once(char::is_whitespace) {
        Some((kind, authority)) => (kind, authority.trim()),
        None => (entry, ""),
    };
    let scheme = match kind.to_ascii_uppercase().as_str() {
        "DIRECT" if authority.is_empty() => return Some(Route::Direct),
        "PROXY" | "HTTP" => Scheme::Http,
        "HTTPS" => Scheme::Https,
        "SOCKS" | "SOCKS5" => Scheme::Socks5,
        _ => return None,
    };
    Proxy::at(scheme, authority).ok().map(Route::Through)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answer: &str) -> Result<Vec<String>, BadProxy> {
        let show = |route: &Route| match route {
            Route::Direct => "direct".to_owned(),
            Route::Through(proxy) => proxy.to_string(),
        };
        routes(answer).map(|routes| routes.iter().map(show).collect())
    }

    #[test]
    fn a_url_is_one_route() {
        let expected = Ok(vec!["socks5://a:1".to_owned()]);
        assert_eq!(shown("socks5://u:p@a:1"), expected);
        assert_eq!(shown("http://a/b"), Err(BadProxy::Path));
    }

    #[test]
    fn what_a_pac_script_answers_is_tried_in_its_order() {
        let answer = "PROXY a:3128;HTTPS b ; SOCKS5 c:9; socks [::1]:7;; DIRECT";
        let expected = [
            "http://a:3128",
            "https://b:443",
            "socks5://c:9",
            "socks5://[::1]:7",
            "direct",
        ];
        assert_eq!(shown(answer).unwrap(), expected);
    }

    #[test]
    fn ways_that_can_not_be_gone_are_left_out_and_nothing_else_is_an_error() {
        assert_eq!(
            shown("SOCKS4 a:1; PROXY b:2; QUIC c:3").unwrap(),
            ["http://b:2"]
        );
        assert_eq!(shown("SOCKS4 a:1"), Err(BadProxy::List));
        assert_eq!(shown("proxy.example.com:3128"), Err(BadProxy::List));
        assert_eq!(shown("PROXY"), Err(BadProxy::List));
        assert_eq!(shown(" "), Err(BadProxy::Empty));
        let many = "PROXY a:1;".repeat(1000);
        assert_eq!(shown(&many).unwrap().len(), MOST_ROUTES);
    }
}
