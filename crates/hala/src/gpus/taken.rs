//! A GPU that `auto` took: the way to it, its guarded first run, and what is remembered of it afterwards.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hala_backend_wgpu::{AdapterChoice, AdapterReport, Avoided, Found, WgpuBackend};
use hala_plan::BackendError;

use super::guard::Guard;
use super::ledger::{Ledger, Verdict};
use super::model_class::ModelClass;
use super::{faster, first_run, known_model};
use crate::any_backend::AnyBackend;
use crate::compares::Compares;
use crate::engine::Engine;
use crate::event::{Event, Listener};
use crate::unfit::{Stage, Unfit};

/// What the choice of a GPU looks at besides the GPU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The folder that the app gave.
    pub(crate) folder: Option<&'a Path>,
    /// Whether a program that plays a GPU will do.
    pub(crate) is_software_welcome: bool,
    /// The model that is to run; `None` where that is not known yet.
    pub(crate) model: Option<&'a ModelClass>,
}

/// A GPU that `auto` took.
#[derive(Debug)]
pub(crate) struct Taken {
    ledger: Ledger,
    /// The adapter's own name.
    name: String,
    model: Option<ModelClass>,
    /// Whether it never ran a model, as far as is known.
    is_first: bool,
    /// Whether it shares the CPU's memory.
    is_integrated: bool,
    /// Whether it was compared with the CPU.
    is_compared: bool,
    /// While its first run goes on.
    guard: Option<Guard>,
}

impl Taken {
    /// Sets a GPU up, unless it is better left alone. One that never ran a model runs a small one first, whose logits are known.
    ///
    /// # Errors
    /// Why it is left alone, which is remembered where it was found out just now.
    pub(crate) async fn take(
        found: &Found,
        wanted: Wanted<'_>,
        listener: &mut dyn Listener,
    ) -> Result<(AnyBackend, Self), Unfit> {
        let ledger = Ledger::new(found.origin(), wanted.folder);
        let model = wanted.model.map(|model| model.key.as_str());
        if let Some(unfit) =
            faulty(&found.report, wanted.is_software_welcome).or_else(|| ledger.unfit_now(model))
        {
            return Err(unfit);
        }
        let is_first = !ledger.read().has_passed;
        let guard = if is_first { begin(&ledger, Stage::SetUp)? } else { None };
        let (name, model) = (found.report.name.clone(), wanted.model.cloned());
        let is_compared = model.as_ref().is_none_or(|model| ledger.read().models.contains_key(&model.key));
        let is_integrated = found.report.is_integrated();
        let mut taken = Self { ledger, name, model, is_first, is_integrated, is_compared, guard };
        taken.reach(Stage::SetUp, listener);
        let set_up = match WgpuBackend::on(found).await {
            Ok(gpu) => taken.check(gpu.into(), listener).await,
            Err(error) => Err(Unfit::Refused { reason: error.to_string() }),
        };
        match set_up {
            Ok(gpu) => Ok((gpu, taken)),
            Err(unfit) => {
                taken.ledger.leave_alone(None, unfit.clone());
                Err(unfit)
            }
        }
    }

    /// Compares what a GPU that never ran a model computes with the CPU.
    async fn check(&mut self, gpu: AnyBackend, listener: &mut dyn Listener) -> Result<AnyBackend, Unfit> {
        if !self.is_first {
            return Ok(gpu);
        }
        self.reach(Stage::KnownModel, listener);
        let format = self.model.as_ref().map(|model| model.format).unwrap_or_default();
        match known_model::check(gpu, format).await {
            Ok((gpu, None)) => {
                self.reach(Stage::Loading, listener);
                Ok(gpu)
            }
            Ok((_, Some(found))) => Err(Unfit::WrongResults { found }),
            Err(error) => Err(Unfit::Refused { reason: error.to_string() }),
        }
    }

    /// Notes that a first run has come so far, and tells of it: what comes next may end the program.
    fn reach(&mut self, stage: Stage, listener: &mut dyn Listener) {
        if !self.is_first {
            return;
        }
        if let Some(guard) = &mut self.guard {
            guard.reach(stage);
        }
        listener.tell(Event::FirstRun { device: self.ledger.device(), stage });
    }

    /// Ends the first run with a few tokens of the model, if it is one.
    ///
    /// # Errors
    /// Why the GPU is left alone for this model, which is remembered.
    pub(crate) async fn pass(
        &mut self,
        engine: &Arc<Engine>,
        listener: &mut dyn Listener,
    ) -> Result<(), Unfit> {
        if !self.is_first {
            return Ok(());
        }
        self.reach(Stage::FirstRun, listener);
        let unfit = match first_run::run(engine).await {
            Ok(None) => {
                self.ledger.change(|kept| {
                    kept.has_passed = true;
                    kept.unfit = None;
                    kept.n_deaths = 0;
                });
                (self.is_first, self.guard) = (false, None);
                return Ok(());
            }
            Ok(Some(found)) => Unfit::WrongResults { found },
            Err(error) => Unfit::Refused { reason: error.to_string() },
        };
        self.leave_alone(unfit.clone());
        Err(unfit)
    }

    /// Remembers that the CPU runs this model, from now on and at later starts.
    pub(crate) fn leave_alone(&mut self, unfit: Unfit) {
        self.guard = None;
        self.ledger.leave_alone(self.model.as_ref().map(|model| model.key.as_str()), unfit);
    }

    /// Whether it is to be compared with the CPU now: once, where that is wanted and there is room for it.
    pub(crate) fn begin_comparison(&mut self, compares: Compares) -> bool {
        let is_wanted = match compares {
            Compares::Integrated => self.is_integrated,
            Compares::All => true,
            Compares::Nothing => false,
        };
        let has_room = |model: &ModelClass| faster::has_room(model.weight_bytes, faster::available_bytes());
        is_wanted
            && self.model.as_ref().is_some_and(has_room)
            && !std::mem::replace(&mut self.is_compared, true)
    }

    /// Remembers how long a token takes on the GPU and on the CPU; tells why the CPU should run the model, where it should.
    pub(crate) fn end_comparison(&mut self, [gpu, cpu]: [Duration; 2]) -> Option<Unfit> {
        let model = self.model.as_ref()?;
        let verdict = faster::verdict(gpu, cpu);
        self.ledger.change(|kept| drop(kept.models.insert(model.key.clone(), verdict.clone())));
        match verdict {
            Verdict::Unfit(unfit) => Some(unfit),
            Verdict::Faster { .. } => None,
        }
    }

    /// The GPU, as messages have it.
    pub(crate) fn device(&self) -> &str {
        self.ledger.device()
    }

    /// Sets the same GPU up once more, as after a loss.
    ///
    /// # Errors
    /// It cannot be set up any more.
    pub(crate) async fn reopen(&self) -> Result<WgpuBackend, BackendError> {
        WgpuBackend::new(&AdapterChoice::Named(self.name.clone())).await
    }
}

/// Begins the first run of a GPU; `None` where there is no folder to note it in.
///
/// # Errors
/// An earlier one ended in the middle, which is remembered, or goes on in another program.
pub(crate) fn begin(ledger: &Ledger, stage: Stage) -> Result<Option<Guard>, Unfit> {
    let Some(path) = ledger.file("trial") else { return Ok(None) };
    Guard::begin(&path, ledger.origin(), stage).inspect_err(|unfit| {
        if matches!(unfit, Unfit::Died { .. }) {
            ledger.note_death(unfit);
        }
    })
}

/// Why a GPU is left alone by everybody.
pub(crate) fn faulty(report: &AdapterReport, is_software_welcome: bool) -> Option<Unfit> {
    match report.avoided {
        _ if report.is_software() => (!is_software_welcome).then_some(Unfit::Software),
        Some(Avoided { reason, source }) => {
            Some(Unfit::AvoidedDriver { reason: reason.to_owned(), source: source.to_owned() })
        }
        None => None,
    }
}
