//! What credentials look like: a row for each sort.

/// One sort of credential.
pub(super) struct Rule {
    pub(super) detector: &'static str,
    /// Texts of which one stands where such a credential may begin.
    pub(super) keywords: &'static [&'static str],
    /// What stands there, from the keyword on; where it has a group, the group is the credential.
    pub(super) pattern: &'static str,
    /// How many bytes before its keyword it begins.
    pub(super) back: usize,
    /// Whether a `-` before it makes it a part of something else.
    pub(super) tight: bool,
    /// Whether its keyword may stand within a word.
    pub(super) inside: bool,
    /// Whether more letters may follow.
    pub(super) open: bool,
    /// Whether any word may be one, even `aaaa`.
    pub(super) any: bool,
    /// Whether it has a digit in it, and a word has none.
    pub(super) digit: bool,
    /// Whether it is a private key of many lines.
    pub(super) block: bool,
}

/// A credential that is one word with a beginning of its own.
const fn token(detector: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule {
        detector,
        keywords,
        pattern,
        back: 0,
        tight: false,
        inside: false,
        open: false,
        any: false,
        digit: false,
        block: false,
    }
}

/// A credential that only the words before it tell.
const fn told(detector: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { inside: true, ..token(detector, keywords, pattern) }
}

pub(super) static RULES: [Rule; 45] = [
    token("anthropic-key", &["sk-ant-"], "sk-ant-[a-z0-9]{3,12}-[A-Za-z0-9_-]{20,}"),
    token("openai-key", &["sk-"], "sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,64})"),
    token("openrouter-key", &["sk-or-"], "sk-or-v1-[0-9a-f]{64}"),
    token("langfuse-key", &["sk-lf-"], "sk-lf-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"),
    token("aws-access-key", &["AKIA", "ASIA", "ABIA", "ACCA"], "A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}"),
    told(
        "aws-secret-key",
        &["secret", "Secret", "SECRET"],
        r#"(?i:secret[_ -]?(?:access[_ -]?)?key)["']?\s{0,3}(?::=|=>|[:=]|is)?\s{0,3}["']?([A-Za-z0-9/+]{40})"#,
    ),
    token("gcp-key", &["AIza"], "AIza[A-Za-z0-9_-]{35}"),
    token("gcp-oauth-secret", &["GOCSPX-"], "GOCSPX-[A-Za-z0-9_-]{28}"),
    token("gcp-token", &["ya29."], r"ya29\.[A-Za-z0-9_-]{30,}"),
    token("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[pousr]_[A-Za-z0-9]{36,}"),
    token("github-token", &["github_pat_"], "github_pat_[A-Za-z0-9_]{60,}"),
    token(
        "gitlab-token",
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-", "gloas-"],
        "gl[a-z]{2,5}-[A-Za-z0-9_-]{20,}",
    ),
    token("slack-token", &["xox"], "xox[abeprs]-[A-Za-z0-9-]{10,}"),
    token("slack-token", &["xapp-"], "xapp-[0-9]-[A-Za-z0-9-]{20,}"),
    told(
        "slack-webhook",
        &["hooks.slack.com/"],
        "hooks[.]slack[.]com/(?:services|workflows|triggers)/[A-Za-z0-9/]{30,}",
    ),
    token("stripe-key", &["sk_", "rk_"], "[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,}"),
    token("stripe-webhook-secret", &["whsec_"], "whsec_[A-Za-z0-9+/]{32,}"),
    token("npm-token", &["npm_"], "npm_[A-Za-z0-9]{36}"),
    token("pypi-token", &["pypi-AgE"], "pypi-AgE[A-Za-z0-9_-]{50,}"),
    Rule {
        tight: true,
        open: true,
        ..token("jwt", &["eyJ"], r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*")
    },
    Rule { block: true, inside: true, ..token("private-key", &["-----BEGIN "], "-----BEGIN ") },
    token("age-key", &["AGE-SECRET-KEY-1"], "AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    token("vault-token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[A-Za-z0-9_-]{24,}"),
    token("twilio-key", &["SK"], "SK[0-9a-f]{32}"),
    told("twilio-token", &["twilio", "Twilio", "TWILIO"], r#"(?i:twilio)[^0-9\n]{0,40}?[^0-9A-Za-z\n]([0-9a-f]{32})"#),
    token("sendgrid-key", &["SG."], r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    Rule { back: 4, ..token("azure-secret", &["Q~"], "[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}") },
    told("azure-storage-key", &["AccountKey=", "SharedAccessKey="], "[A-Za-z]{9,15}=([A-Za-z0-9+/]{43,86}={1,2})"),
    Rule { back: 52, ..token("azure-key", &["JQQJ99"], "[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}") },
    token("huggingface-token", &["hf_"], "hf_[A-Za-z0-9]{30,40}"),
    token("huggingface-token", &["api_org_"], "api_org_[A-Za-z0-9]{30,40}"),
    token("groq-key", &["gsk_"], "gsk_[A-Za-z0-9]{48,56}"),
    token("xai-key", &["xai-"], "xai-[A-Za-z0-9]{70,90}"),
    token("replicate-token", &["r8_"], "r8_[A-Za-z0-9]{37}"),
    token("perplexity-key", &["pplx-"], "pplx-[A-Za-z0-9]{40,56}"),
    token("langsmith-key", &["lsv2_"], "lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    token("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], "do[por]_v1_[0-9a-f]{64}"),
    token("docker-token", &["dckr_"], "dckr_[po]at_[A-Za-z0-9_-]{27,}"),
    token("databricks-token", &["dapi"], "dapi[0-9a-f]{32}(?:-[0-9])?"),
    token("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_"], "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    Rule { back: 10, ..token("telegram-token", &[":AA"], "[0-9]{10}:AA[A-Za-z0-9_-]{33}") },
    Rule {
        any: true,
        open: true,
        ..told("url-credentials", &["://"], r#"://[^\s/:@?#"'<>]{1,100}:([^\s/@?#"'<>]{3,200})@[A-Za-z0-9\[]"#)
    },
    Rule {
        open: true,
        ..told(
            "authorization",
            &["uthorization", "UTHORIZATION"],
            r#"(?i:uthorization["']?\s{0,2}[:=]\s{0,2}["']?(?:basic|bearer|token))\s{1,3}([A-Za-z0-9._~+/-]{8,}=*)"#,
        )
    },
    Rule {
        digit: true,
        open: true,
        ..told("authorization", &["earer ", "EARER "], r#"(?i:earer)\s{1,3}([A-Za-z0-9._~+/-]{20,}=*)"#)
    },
    Rule {
        open: true,
        ..told(
            "api-key",
            &["-api-key", "-Api-Key", "-API-Key", "-API-KEY"],
            r#"(?i:-api-key)["']?\s{0,2}[:=]\s{0,2}["']?([A-Za-z0-9._~+/-]{16,})"#,
        )
    },
];
