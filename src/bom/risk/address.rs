//! Addresses of the web as far as a rule must read them: scheme, host and port.

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// In small letters: `https`.
    pub(super) scheme: String,
    /// In small letters, without user and port.
    pub(super) host: String,
    port: String,
}

impl Address {
    /// The parts of `scheme://user@host:port/…`; `None` for what is no such address.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let word = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(word) {
            return None;
        }
        // Readers take a backslash for a slash.
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or_default()),
            None => authority.rsplit_once(':').unwrap_or((authority, "")),
        };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        if host.is_empty() || !host.chars().all(plain) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "https" | "wss" => "443",
            "http" | "ws" => "80",
            _ => "",
        };
        let port = if port == usual { String::new() } else { port.to_owned() };
        Some(Self { scheme, host, port })
    }

    /// Whether what is said on the way is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.scheme.as_str(), "https" | "wss")
    }

    /// Whether it leads to the machine itself.
    pub(super) fn is_loopback(&self) -> bool {
        let number = |ip: &str| ip.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        self.host == "localhost" || self.host.ends_with(".localhost") || number(&self.host)
    }

    /// Host, and port where it is not the usual one.
    pub(super) fn place(&self) -> String {
        if self.port.is_empty() { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<String> {
        Address::read(text).map(|address| address.place())
    }

    #[test]
    fn the_host_is_what_a_client_would_call() {
        assert_eq!(place("https://MCP.Example.com:443/x").as_deref(), Some("mcp.example.com"));
        assert_eq!(place("https://good.example@evil.example/x").as_deref(), Some("evil.example"));
        assert_eq!(place("https://evil.example\\@good.example/").as_deref(), Some("evil.example"));
        assert_eq!(place("http://[::1]:8080/").as_deref(), Some("::1:8080"));
        assert_eq!(place("https://a.example.:8443").as_deref(), Some("a.example:8443"));
        for text in ["", "example.com", "https://", "https:///x", "://x", "ht tp://x"] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_machine_itself_is_loopback() {
        let loopback = |text: &str| Address::read(text).expect("an address").is_loopback();
        assert!(loopback("http://localhost:1") && loopback("http://127.0.0.9/") && loopback("http://[::1]/"));
        assert!(!loopback("http://localhost.evil.example/") && !loopback("http://10.0.0.1/"));
    }
}
