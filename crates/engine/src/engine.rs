//! A model on a device, shared by its sessions.

use std::sync::{Mutex, PoisonError};

use hala_model::{LogitRows, Model, Options, PlanShape, WeightFormat};
use hala_plan::ops::sample::TokenSet;
use hala_plan::{Backend, BackendError, BufferId, Device, Plan, fuse};
use hala_tensor::DType;
use hala_text::{Message, Tokenizer, TokenizerFiles};
use hala_weights::{Checkpoint, Reader};

use crate::ends::EndIds;
use crate::error::EngineError;
use crate::fingerprint::{self, Fingerprint};
use crate::ready::Ready;
use crate::sampling_defaults::SamplingDefaults;
use crate::template::TemplateOptions;

/// Choices made when a model is loaded.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions {
    /// How matrices are held.
    pub weights: WeightFormat,
    /// Context and KV cache.
    pub model: Options,
}

/// How far loading has come, once for each weight.
#[derive(Debug, Clone, Copy)]
pub struct LoadProgress<'a> {
    /// The weight that was loaded last.
    pub name: &'a str,
    /// Elements loaded.
    pub n_done: usize,
    /// Elements in all weights.
    pub n_total: usize,
}

/// A model on a device.
#[derive(Debug)]
pub struct Engine<B: Backend> {
    backend: B,
    model: Box<dyn Model>,
    weights: Vec<B::Weight>,
    dtypes: Vec<DType>,
    weight_bytes: usize,
    fingerprint: Fingerprint,
    tokenizer: Option<Tokenizer>,
    ends: EndIds,
    sampling_defaults: SamplingDefaults,
    /// Ids of the model that the tokenizer has no token for.
    undefined: Vec<u32>,
    /// The same, a bit for each id of the model.
    undefined_set: TokenSet,
    /// Plans made ready that no run uses now.
    pub(crate) idle: Mutex<Vec<Ready<B::Prepared>>>,
}

impl<B: Backend> Engine<B> {
    /// Opens the checkpoint's model and moves its weights to the device, one tensor at a time.
    ///
    /// `progress` is told of every weight, and stops the loading by returning `false`.
    ///
    /// # Errors
    /// A checkpoint that is damaged, incomplete or not supported; no memory; stopped.
    pub fn load(
        backend: B,
        checkpoint: &Checkpoint,
        options: LoadOptions,
        mut progress: impl FnMut(LoadProgress<'_>) -> bool,
    ) -> Result<Self, EngineError> {
        let mut loading = Loading::new(backend, checkpoint, options)?;
        for i in 0..loading.weights.len() {
            loading.add(i, checkpoint, &mut progress)?;
        }
        Ok(loading.finish())
    }

    /// As [`Engine::load`], with weight files that `reader` reads tensor by tensor, in the order of the files: beside
    /// what the device holds, memory holds one tensor.
    ///
    /// # Errors
    /// As [`Engine::load`], and what the reader refuses.
    pub async fn load_from(
        backend: B,
        checkpoint: &mut Checkpoint,
        reader: &impl Reader,
        options: LoadOptions,
        mut progress: impl FnMut(LoadProgress<'_>) -> bool,
    ) -> Result<Self, EngineError> {
        let mut loading = Loading::new(backend, checkpoint, options)?;
        let names: Vec<String> = loading.model.weights().iter().map(|spec| spec.name.clone()).collect();
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|i| checkpoint.reading_order(&names[*i]));
        for i in order {
            let name = &names[i];
            let is_read = checkpoint.contains(name);
            if is_read {
                checkpoint.fetch(name, reader).await?;
            }
            loading.add(i, checkpoint, &mut progress)?;
            if is_read {
                checkpoint.forget(name);
            }
            loading.backend.settle().await?;
        }
        Ok(loading.finish())
    }

    /// The device's backend.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The backend, without the model.
    pub fn into_backend(self) -> B {
        self.backend
    }

    /// The device.
    pub fn device(&self) -> &Device {
        self.backend.device()
    }

    /// The model.
    pub fn model(&self) -> &dyn Model {
        self.model.as_ref()
    }

    /// Handles of the weights, in the order of their ids.
    pub fn weights(&self) -> &[B::Weight] {
        &self.weights
    }

    /// Element types of the weights, in the order of their ids.
    pub fn dtypes(&self) -> &[DType] {
        &self.dtypes
    }

    /// Bytes of all weights as they are held.
    pub fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    /// What tells its weights from those of any other model.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Gives back the scratch memory of Plans that no run uses; they are made ready again when they are needed.
    pub fn trim(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Makes the ids impossible that the tokenizer has no token for: a vocabulary is often rounded up, and those rows
    /// of the head were never trained.
    pub(crate) fn mask_undefined(&self, logits: &mut [f32]) {
        for id in &self.undefined {
            if let Some(logit) = logits.get_mut(*id as usize) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }

    /// Those ids as a set for the device.
    pub(crate) fn undefined_set(&self) -> &TokenSet {
        &self.undefined_set
    }

    /// Refuses a prompt that is empty, does not fit the context, or has ids that the model does not know: before it shares a run with others.
    pub(crate) fn check_prompt(&self, prompt: &[u32]) -> Result<(), EngineError> {
        let facts = self.model().facts();
        let (limit, max) = (facts.context, facts.max_context);
        match prompt.len() {
            0 => Err(EngineError::EmptyPrompt),
            found if found > limit => Err(EngineError::PromptTooLong { found, limit, max }),
            _ => match prompt.iter().find(|id| **id as usize >= facts.n_vocab) {
                Some(&id) => Err(BackendError::Id { id, n_vocab: facts.n_vocab }.into()),
                None => Ok(()),
            },
        }
    }

    /// T of the Plan for rows of `n_rows` sequences: the smallest that holds them, or the largest.
    pub(crate) fn decode_size(&self, n_rows: usize) -> usize {
        fitting(self.backend.decode_sizes(), n_rows)
    }

    /// The Plan for `n_rows` rows whose logits are all wanted: of sequences that decode, and their drafts.
    pub(crate) fn decode_shape(&self, n_rows: usize) -> PlanShape {
        PlanShape { n_tokens: self.decode_size(n_rows), logits: LogitRows::All }
    }

    /// Rows of a prompt's Plan whose logits may be wanted: the ends of prompts, and sequences that decode beside them.
    pub(crate) fn n_wanted(&self) -> usize {
        self.decode_size(usize::MAX)
    }

    /// The Plan for the next chunk of `n_left` tokens of a prompt: of one token, of the smallest size that holds them, or the largest.
    pub(crate) fn chunk_shape(&self, n_left: usize) -> PlanShape {
        if n_left == 1 {
            return self.decode_shape(1);
        }
        let PlanShape { n_tokens, logits } = self.prompt_shape(n_left);
        PlanShape { n_tokens: n_tokens.min(self.model.facts().context.max(1)), logits }
    }

    /// The Plan for `n_rows` rows of prompts, and of sequences that decode beside them.
    pub(crate) fn prompt_shape(&self, n_rows: usize) -> PlanShape {
        let n_tokens = fitting(self.backend.prefill_sizes(), n_rows);
        PlanShape { n_tokens, logits: LogitRows::Wanted(self.n_wanted()) }
    }

    /// Records the Plan for `shape`, its steps joined as the backend has kernels for.
    ///
    /// # Errors
    /// Shapes or element types that do not fit together.
    pub(crate) fn record(&self, shape: PlanShape) -> Result<Plan, EngineError> {
        Ok(fuse(self.model().record(shape, &self.dtypes)?, self.backend()))
    }

    /// Records the Plan for `shape`; gives it with its logits.
    ///
    /// # Errors
    /// Shapes or element types that do not fit together.
    pub fn plan(&self, shape: PlanShape) -> Result<(Plan, BufferId), EngineError> {
        let plan = self.record(shape)?;
        let logits = self.logits_of(&plan)?;
        Ok((plan, logits))
    }

    /// The logits of a Plan.
    pub(crate) fn logits_of(&self, plan: &Plan) -> Result<BufferId, EngineError> {
        plan.output().ok_or(EngineError::NoOutput { family: self.model().facts().family })
    }

    /// Ids of a conversation as the model's template writes it, up to where the reply begins.
    ///
    /// # Errors
    /// A checkpoint without tokenizer or template, or messages that the template refuses.
    pub fn chat_prompt(
        &self,
        messages: &[Message],
        tools: &[serde_json::Value],
    ) -> Result<Vec<u32>, EngineError> {
        self.chat_prompt_with(messages, tools, &TemplateOptions::default())
    }

    /// As [`Engine::chat_prompt`], by a template and with variables of the caller's.
    ///
    /// # Errors
    /// As for [`Engine::chat_prompt`], and a variable of a name that is the chat's own.
    pub fn chat_prompt_with(
        &self,
        messages: &[Message],
        tools: &[serde_json::Value],
        options: &TemplateOptions,
    ) -> Result<Vec<u32>, EngineError> {
        let tokenizer = self.tokenizer()?;
        let input = options.input(messages, tools);
        Ok(tokenizer.chat_ids(options.template(tokenizer)?, &input)?)
    }

    /// The ids that end a text.
    pub fn end_ids(&self) -> &[u32] {
        &self.ends.ids
    }

    /// What the checkpoint says of the choice of tokens.
    pub fn sampling_defaults(&self) -> &SamplingDefaults {
        &self.sampling_defaults
    }

    /// The tokenizer, which also has the chat template.
    ///
    /// # Errors
    /// The checkpoint has none.
    pub fn tokenizer(&self) -> Result<&Tokenizer, EngineError> {
        self.tokenizer.as_ref().ok_or(EngineError::NoTokenizer)
    }
}

/// The smallest size that holds `n`, or the largest.
fn fitting(sizes: &[usize], n: usize) -> usize {
    sizes.iter().copied().find(|size| *size >= n).or(sizes.last().copied()).unwrap_or(1)
}

/// An engine whose weights are on their way.
struct Loading<B: Backend> {
    backend: B,
    model: Box<dyn Model>,
    tokenizer: Option<Tokenizer>,
    ends: EndIds,
    sampling_defaults: SamplingDefaults,
    format: WeightFormat,
    /// In the order of their ids, however they come.
    weights: Vec<Option<(B::Weight, DType)>>,
    /// The sum of each, and its elements.
    sums: Vec<(u64, usize)>,
    weight_bytes: usize,
    n_done: usize,
    n_total: usize,
}

impl<B: Backend> Loading<B> {
    fn new(backend: B, checkpoint: &Checkpoint, options: LoadOptions) -> Result<Self, EngineError> {
        let cache = options.model.cache.or(Some(backend.cache_dtype()));
        let model = hala_model::open(checkpoint, Options { cache, ..options.model })?;
        let n_total = model.weights().iter().map(|w| w.shape.n_elements()).sum();
        let tokenizer = open_tokenizer(checkpoint)?;
        Ok(Self {
            backend,
            ends: EndIds::read(checkpoint, tokenizer.as_ref())?,
            sampling_defaults: SamplingDefaults::read(checkpoint)?,
            tokenizer,
            format: options.weights,
            weights: model.weights().iter().map(|_| None).collect(),
            sums: vec![(0, 0); model.weights().len()],
            weight_bytes: 0,
            n_done: 0,
            n_total,
            model,
        })
    }

    /// Moves one weight to the device, and tells of it.
    fn add(
        &mut self,
        weight_idx: usize,
        checkpoint: &Checkpoint,
        progress: &mut impl FnMut(LoadProgress<'_>) -> bool,
    ) -> Result<(), EngineError> {
        let spec = &self.model.weights()[weight_idx];
        let tensor = spec.load(checkpoint, self.format)?;
        let dtype = tensor.dtype();
        self.weight_bytes += tensor.n_bytes();
        self.n_done += spec.shape.n_elements();
        self.sums[weight_idx] = fingerprint::sample(spec, &tensor);
        self.weights[weight_idx] = Some((self.backend.upload(&spec.name, tensor)?, dtype));
        let told = LoadProgress { name: &spec.name, n_done: self.n_done, n_total: self.n_total };
        if progress(told) { Ok(()) } else { Err(EngineError::Cancelled) }
    }

    /// The engine, once every weight was added.
    fn finish(self) -> Engine<B> {
        let Self { backend, model, tokenizer, ends, sampling_defaults, weights, sums, weight_bytes, .. } =
            self;
        let (weights, dtypes): (Vec<_>, Vec<_>) = weights.into_iter().flatten().unzip();
        let sums = sums.into_iter().zip(&dtypes).map(|((sum, n), dtype)| (sum, n, *dtype));
        let fingerprint = Fingerprint::of(sums);
        let undefined = tokenizer.as_ref().map(|t| undefined(t, model.facts().n_vocab)).unwrap_or_default();
        let undefined_set = TokenSet::of(model.facts().n_vocab, undefined.iter().copied());
        Engine {
            backend,
            model,
            weights,
            dtypes,
            weight_bytes,
            fingerprint,
            tokenizer,
            ends,
            sampling_defaults,
            undefined,
            undefined_set,
            idle: Mutex::default(),
        }
    }
}

fn undefined(tokenizer: &Tokenizer, n_vocab: usize) -> Vec<u32> {
    (0..n_vocab as u32).filter(|id| tokenizer.token_of(*id).is_none()).collect()
}

/// A checkpoint's tokenizer with its chat template, without its weights; `None` where it has no tokenizer.json.
///
/// # Errors
/// Files that cannot be read.
pub fn open_tokenizer(checkpoint: &Checkpoint) -> Result<Option<Tokenizer>, EngineError> {
    let Some(tokenizer_json) = checkpoint.file("tokenizer.json")? else { return Ok(None) };
    let tokenizer_config = checkpoint.file("tokenizer_config.json")?;
    let generation_config = checkpoint.file("generation_config.json")?;
    let chat_template = checkpoint.text_file("chat_template.jinja")?;
    let files = TokenizerFiles {
        tokenizer_json: &tokenizer_json,
        tokenizer_config: tokenizer_config.as_deref(),
        chat_template: chat_template.as_deref(),
        generation_config: generation_config.as_deref(),
    };
    Ok(Some(Tokenizer::new(files)?))
}
