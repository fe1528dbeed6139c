//! What of a checkpoint's way of quantising is not read, in words, before tensors are looked for.

use crate::checkpoint::Checkpoint;
use crate::error::WeightsError;
use crate::file_dtype::FileDType;
use crate::quantisation::{PACKED_SUFFIX, SCALE_SUFFIX};
use crate::shards::Place;

impl Checkpoint {
    /// Why packed codes are not read.
    pub(crate) fn unread_codes(&self, codes: String, place: Place) -> WeightsError {
        let (shard, info) = self.at(place);
        let name = codes.trim_end_matches(PACKED_SUFFIX);
        let scales =
            self.shards.places.get(&format!("{name}{SCALE_SUFFIX}")).map(|&place| &self.at(place).1.dims);
        let reason = match (self.config.as_ref().and_then(|config| config.raw("quantization_config")), scales)
        {
            (None, _) => "config.json has no quantization_config that says how: download it again".to_owned(),
            (_, None) => format!("there is no `{name}{SCALE_SUFFIX}`: download the checkpoint again"),
            (_, Some(scales)) => format!(
                "no group of quantization_config, or more than one, has words {:?} with scales {scales:?}: quantise it again",
                info.dims
            ),
        };
        WeightsError::Packed { file: shard.label.clone(), name: codes, reason }
    }

    /// Refuses what of the checkpoint's way of quantising is not read, before its tensors are looked for.
    ///
    /// # Errors
    /// A `quantization_config` that is not supported, codes that it does not describe, a folder of MLX.
    pub fn check_quantisation(&self) -> Result<(), WeightsError> {
        self.quantisation()?;
        for (name, &place) in &self.shards.places {
            let layer = name.strip_suffix(".scales");
            let weight = layer.and_then(|layer| self.shards.places.get(&format!("{layer}.weight")));
            if weight.is_some_and(|&weight| self.at(weight).1.dtype == FileDType::U32) {
                let file = self.at(place).0.label.clone();
                return Err(WeightsError::Mlx { file, found: format!("`{name}` beside words of codes") });
            }
            if name.strip_suffix(PACKED_SUFFIX).is_some_and(|weight| !self.contains(weight)) {
                return Err(self.unread_codes(name.clone(), place));
            }
        }
        Ok(())
    }

    /// What config.json asks of engines that is not done here, in words; nothing of it makes the model another.
    pub fn passed_over(&self) -> Vec<&'static str> {
        let quantisation = self.quantisation().ok().flatten();
        let has_cache_scheme = quantisation.is_some_and(|quantisation| quantisation.has_cache_scheme);
        let cache =
            "config.json asks for a quantised key/value cache (kv_cache_scheme): it stays in floats here";
        has_cache_scheme.then_some(cache).into_iter().collect()
    }
}
