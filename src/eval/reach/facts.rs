//! What is known of an agent and of a Model to those who call them.

use crate::resource::{Kind, Number, Resource, Value};

/// What an `invoke` takes from the agent where it does not say it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AgentFacts {
    /// The agent's instructions.
    pub instructions: Option<String>,
    /// The Model it runs on: its own, or the first of its route.
    pub model: Option<ModelFacts>,
}

/// How a Model is called.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFacts {
    /// The Model's own name, for messages.
    pub name: String,
    /// The provider, such as `openai`.
    pub provider: String,
    /// The model's name with the provider.
    pub model: String,
    /// The address up to the API's own paths; none where the Model names none.
    pub base_url: Option<String>,
    /// Whether it is served by whoever runs joch, so that no provider's address stands in for a missing one.
    pub local: bool,
    /// The Secret that holds the key.
    pub key: Option<String>,
    /// Parameters of every call.
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// Most tokens of an answer.
    pub max_output_tokens: Option<u64>,
}

impl ModelFacts {
    /// What a Model says.
    ///
    /// # Errors
    /// What is missing in it.
    pub fn of(resource: &Resource) -> Result<Self, String> {
        let name = &resource.id().name;
        if resource.id().kind != Kind::Model {
            return Err(format!("`{}` is no Model", resource.id().full()));
        }
        let spec = resource.spec();
        let text = |path: &[&str]| spec.at(path).and_then(Value::as_text).map(str::to_owned);
        let needed = |key: &str| {
            text(&[key]).filter(|text| !text.is_empty()).ok_or_else(|| format!("Model `{name}` has no `{key}`: add it"))
        };
        let parameters = match spec.get("defaultParameters") {
            None | Some(Value::Null) => serde_json::Map::new(),
            Some(value) => match serde_json::to_value(value) {
                Ok(serde_json::Value::Object(parameters)) => parameters,
                _ => return Err(format!("`defaultParameters` of Model `{name}` is not a map of JSON values")),
            },
        };
        let most = spec.at(&["limits", "maxOutputTokens"]).and_then(Value::as_number);
        Ok(Self {
            name: name.clone(),
            provider: needed("provider")?,
            model: needed("model")?,
            base_url: text(&["endpoint", "baseUrl"]),
            local: text(&["endpoint", "type"]).is_some_and(|kind| kind == "local"),
            key: spec.at(&["auth", "secretRef"]).and_then(super::fields::secret_name),
            parameters,
            max_output_tokens: match most {
                Some(Number::Whole(whole)) => u64::try_from(whole).ok(),
                _ => None,
            },
        })
    }

    /// Whether it is called as Anthropic has it; every other provider is called as OpenAI has it.
    #[must_use]
    pub fn is_anthropic(&self) -> bool {
        self.provider == "anthropic"
    }

    /// The address up to the API's own paths: the Model's own, or for a hosted Model that of its provider.
    ///
    /// # Errors
    /// That nobody names one.
    pub fn address(&self) -> Result<String, String> {
        match (&self.base_url, self.provider.as_str()) {
            (Some(url), _) => Ok(url.clone()),
            (None, "openai") if !self.local => Ok("https://api.openai.com/v1".into()),
            (None, "anthropic") if !self.local => Ok("https://api.anthropic.com/v1".into()),
            _ => Err(format!("Model `{}` names no address: add `endpoint: {{ baseUrl: https://… }}` to it", self.name)),
        }
    }
}
