//! What config.json says of rotary embeddings, in the dialects that transformers reads.

use hala_weights::Config;

use crate::error::{ModelError, unsupported};
use crate::rope::table::{Rope, Scaling, Yarn};

/// What a family knows of its rotary embedding, whatever config.json says of it.
#[derive(Debug, Clone, Copy)]
pub struct Turned {
    /// A, elements of a head.
    pub head_size: usize,
    /// Tokens that the model was made for.
    pub max_context: usize,
    /// Base of the frequencies where config.json does not say.
    pub theta: f64,
    /// The `layer_types` whose heads are turned by position.
    pub kinds: &'static [&'static str],
    /// How config.json speaks of them.
    pub dialect: Dialect,
}

/// How the config.json of a family speaks of rotary embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// One for all layers. Programs differ in what they make of a `partial_rotary_factor` beside a type that does not read it, so it is refused.
    OfAll,
    /// One for each of `layer_types`, whose maths is transformers': the type `default` turns whole heads, whatever `partial_rotary_factor`
    /// says beside it.
    OfEach,
}

/// An object of settings and its name.
struct Settings<'a> {
    name: String,
    config: Config,
    outer: &'a Config,
    turned: &'a Turned,
}

const TYPES: &str = "default, linear, dynamic, yarn, longrope, llama3 or proportional";

impl Rope {
    /// Reads `rope_parameters`, or the older `rope_scaling`, `rope_theta` and `theta`; the table is as long as the model's context.
    ///
    /// As in transformers, `rope_scaling` counts where both are there, and what an object leaves out is looked for beside it.
    ///
    /// # Errors
    /// A base that is no positive number; a kind of scaling that is not supported, one that lacks its numbers, or numbers that give no
    /// frequencies.
    pub fn read(config: &Config, turned: &Turned) -> Result<Self, ModelError> {
        let settings = settings(config, turned)?;
        let theta = settings.as_ref().map(|s| s.config.f64(&["rope_theta"])).transpose()?.flatten();
        let theta = match theta {
            Some(theta) => theta,
            None => config.f64(&["rope_theta", "theta"])?.unwrap_or(turned.theta),
        };
        if !(theta.is_finite() && theta > 0.0) {
            return Err(unsupported("rope_theta", &theta.to_string(), "a number above 0"));
        }
        let share =
            settings.as_ref().map(|s| s.config.f64(&["partial_rotary_factor"])).transpose()?.flatten();
        let share = match share {
            None => config.f64(&["partial_rotary_factor"])?,
            share => share,
        };
        let scaling = match &settings {
            Some(settings) => settings.scaling(share)?,
            None => Scaling::Default,
        };
        let is_read = matches!(scaling, Scaling::Proportional { .. });
        let is_ignored = settings.as_ref().is_some_and(Settings::ignores_shares);
        if let Some(share) = share.filter(|share| *share != 1.0 && !is_read && !is_ignored) {
            let supported = "1, or less where rope_type is proportional,";
            return Err(unsupported("partial_rotary_factor", &share.to_string(), supported));
        }
        let Turned { head_size, max_context, .. } = *turned;
        let rope = Self { theta, scaling, head_size, n_positions: max_context };
        if rope.frequencies().iter().any(|f| !f.is_finite()) || !rope.amplitude().is_finite() {
            let name = settings.map_or_else(|| "rope_theta".to_owned(), |settings| settings.name);
            return Err(unsupported(
                &name,
                "such that frequencies are no numbers",
                "only what gives finite ones",
            ));
        }
        Ok(rope)
    }
}

/// What is good to know of the settings before a model is loaded: a share of heads that is told where whole heads turn.
pub(crate) fn passed_over(config: &Config, turned: &Turned) -> Option<String> {
    let settings = settings(config, turned).ok()??;
    let share = settings.config.f64(&["partial_rotary_factor"]).ok()?.filter(|share| *share != 1.0)?;
    let name = &settings.name;
    settings.ignores_shares().then(|| {
        format!(
            "config.json: {name}.partial_rotary_factor is {share}, which the rope_type \"default\" beside it does not read: whole heads \
             turn, as in transformers (\"proportional\" would turn a part of them)"
        )
    })
}

/// The object that holds the settings: for all layers, or the one that all kinds of layers which are turned have.
fn settings<'a>(config: &'a Config, turned: &'a Turned) -> Result<Option<Settings<'a>>, ModelError> {
    let mut found = None;
    for name in ["rope_scaling", "rope_parameters"] {
        if let Some(object) = config.object(name)?.filter(|object| object.keys().next().is_some()) {
            found = Some((name, object));
            break;
        }
    }
    let Some((name, config_of_all)) = found else { return Ok(None) };
    let with = |name: String, inner: Config| Settings { name, config: inner, outer: config, turned };
    let is_nested = |key: &str| matches!(key, "full_attention" | "sliding_attention" | "conv");
    if !config_of_all.keys().any(is_nested) {
        return match turned.dialect {
            Dialect::OfAll => Ok(Some(with(name.to_owned(), config_of_all))),
            Dialect::OfEach => {
                Err(unsupported(name, "one object for all layers", "one for each of layer_types"))
            }
        };
    }
    let mut of_kinds: Vec<Settings<'_>> = Vec::new();
    for kind in turned.kinds {
        let full_name = format!("{name}.{kind}");
        let Some(inner) = config_of_all.object(kind)? else {
            return Err(unsupported(&full_name, "null", "an object, as these layers are turned,"));
        };
        if of_kinds.iter().any(|other| other.config.map() != inner.map()) {
            return Err(unsupported(
                &full_name,
                "not what other layers have",
                "one rotary embedding for all",
            ));
        }
        of_kinds.push(with(full_name, inner));
    }
    Ok(of_kinds.pop())
}

impl Settings<'_> {
    /// The type, under either of its names.
    fn kind(&self) -> Result<Option<&str>, ModelError> {
        Ok(match self.config.str(&["rope_type"])? {
            None => self.config.str(&["type"])?,
            kind => kind,
        })
    }

    /// Whether a share of heads that is told means nothing here.
    fn ignores_shares(&self) -> bool {
        self.turned.dialect == Dialect::OfEach && matches!(self.kind(), Ok(None | Some("default")))
    }

    fn scaling(&self, share: Option<f64>) -> Result<Scaling, ModelError> {
        Ok(match self.kind()? {
            // `dynamic` begins to stretch beyond the context that the model was made for, which none is given here.
            None | Some("default") => Scaling::Default,
            Some("dynamic") => {
                self.needed("factor")?;
                Scaling::Default
            }
            Some("linear") => Scaling::Linear { factor: self.needed("factor")? },
            Some("proportional") => {
                let share = share.unwrap_or(1.0);
                if !(0.0..=1.0).contains(&share) {
                    let key = format!("{}.partial_rotary_factor", self.name);
                    return Err(unsupported(&key, &share.to_string(), "a number from 0 to 1"));
                }
                let n_turning = (share * self.turned.head_size as f64 / 2.0) as usize;
                Scaling::Proportional { factor: self.above_0("factor")?.unwrap_or(1.0), n_turning }
            }
            Some("yarn") => self.yarn()?,
            Some("longrope") => self.longrope()?,
            Some("llama3") => Scaling::Llama3 {
                factor: self.needed("factor")?,
                low: self.needed("low_freq_factor")?,
                high: self.needed("high_freq_factor")?,
                original: self.original()?,
            },
            Some(found) => return Err(unsupported(&format!("{}.rope_type", self.name), found, TYPES)),
        })
    }

    fn yarn(&self) -> Result<Scaling, ModelError> {
        let original = self.original()?;
        // Null stands for the ratio of both contexts; a file without the key is incomplete.
        let factor = match self.above_0("factor")? {
            None if self.config.map().contains_key("factor") => self.turned.max_context as f64 / original,
            None => return Err(self.config.missing(&["factor"]).into()),
            Some(factor) => factor,
        };
        let number = |key: &str| Ok::<_, ModelError>(self.config.f64(&[key])?.filter(|x| *x != 0.0));
        let spread = |scale: f64| if factor <= 1.0 { 1.0 } else { 0.1 * scale * factor.ln() + 1.0 };
        let attention =
            match (self.config.f64(&["attention_factor"])?, number("mscale")?, number("mscale_all_dim")?) {
                (Some(attention), ..) => attention,
                (None, Some(mscale), Some(of_all)) => spread(mscale) / spread(of_all),
                _ => spread(1.0),
            };
        let truncate = match self.config.bool(&["truncate"])? {
            None => !self.config.map().contains_key("truncate"),
            Some(truncate) => truncate,
        };
        let (beta_fast, beta_slow) = (self.or("beta_fast", 32.0)?, self.or("beta_slow", 1.0)?);
        Ok(Scaling::Yarn(Yarn { factor, attention, beta_fast, beta_slow, original, truncate }))
    }

    fn longrope(&self) -> Result<Scaling, ModelError> {
        let original = self.original()?;
        let [factors, long] = [self.factors("short_factor")?, self.factors("long_factor")?];
        let factor = self.above_0("factor")?.unwrap_or(self.turned.max_context as f64 / original);
        let attention = match self.config.f64(&["attention_factor"])? {
            Some(attention) => attention,
            None if factor <= 1.0 => 1.0,
            None => (1.0 + factor.ln() / original.ln()).sqrt(),
        };
        let limit = (factors != long).then_some(original as usize);
        Ok(Scaling::LongRope { factors, attention, limit })
    }

    /// A factor for each pair.
    fn factors(&self, key: &str) -> Result<Vec<f64>, ModelError> {
        let n_pairs = self.turned.head_size / 2;
        let found = self.config.list_f64(&[key])?.ok_or_else(|| self.config.missing(&[key]))?;
        let full_key = || format!("{}.{key}", self.name);
        if found.len() != n_pairs {
            let supported = format!("one for each of {n_pairs} pairs");
            return Err(unsupported(&full_key(), &format!("{} numbers", found.len()), &supported));
        }
        match found.iter().find(|x| !(x.is_finite() && **x > 0.0)) {
            Some(x) => Err(unsupported(&full_key(), &x.to_string(), "numbers above 0")),
            None => Ok(found),
        }
    }

    /// Tokens of the first training: beside the object, in it, or as many as the model was made for.
    fn original(&self) -> Result<f64, ModelError> {
        const KEY: &str = "original_max_position_embeddings";
        let found = match self.outer.f64(&[KEY])? {
            None => self.config.f64(&[KEY])?,
            found => found,
        };
        let found = found.unwrap_or(self.turned.max_context as f64);
        if found.is_finite() && found >= 1.0 {
            return Ok(found);
        }
        Err(unsupported(&format!("{}.{KEY}", self.name), &found.to_string(), "a number from 1"))
    }

    fn needed(&self, key: &str) -> Result<f64, ModelError> {
        self.above_0(key)?.ok_or_else(|| self.config.missing(&[key]).into())
    }

    /// A number; absent and 0 stand for another one.
    fn or(&self, key: &str, default: f64) -> Result<f64, ModelError> {
        match self.config.f64(&[key])? {
            None | Some(0.0) => Ok(default),
            Some(_) => self.needed(key),
        }
    }

    fn above_0(&self, key: &str) -> Result<Option<f64>, ModelError> {
        match self.config.f64(&[key])? {
            Some(found) if !(found.is_finite() && found > 0.0) => {
                Err(unsupported(&format!("{}.{key}", self.name), &found.to_string(), "a number above 0"))
            }
            found => Ok(found),
        }
    }
}
