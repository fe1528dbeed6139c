//! A case on one backend: prepared plans, a pool of states, and what is done with them.

use hala_plan::{
    Ahead, AheadRow, Backend, BackendError, Cancel, EMPTY_SLOT, Reading, Rows, Span, Start, fuse,
};

use crate::case::{Action, Case, Pace, Part, Read, Recorded, Run};
use crate::chain::Chain;
use crate::pool::Pool;

/// What a backend holds for a case.
#[derive(Debug)]
pub(crate) struct Session<'a, B: Backend> {
    backend: &'a B,
    case: &'a Case,
    pool: Pool,
    states: B::States,
    prepared: Vec<B::Prepared>,
    /// Steps of each plan, as the backend has them joined.
    n_steps: Vec<usize>,
    cancel: &'a Cancel,
}

impl<'a, B: Backend> Session<'a, B> {
    /// Uploads the weights, and makes the plans and states.
    pub(crate) async fn new(
        backend: &'a B,
        case: &'a Case,
        chains: &[Vec<Chain>],
        cancel: &'a Cancel,
    ) -> Result<Self, BackendError> {
        let upload = |(label, tensor): &(String, hala_tensor::Tensor)| backend.upload(label, tensor.clone());
        let weights = case.weights().iter().map(upload).collect::<Result<Vec<_>, _>>()?;
        let queued = chains.iter().flat_map(|chains| parts(chains));
        let pool = Pool::new(case, case.runs().flat_map(|(_, run)| run.parts.clone()).chain(queued));
        let states = backend.allocate(case.states(), pool.size())?;
        let (mut prepared, mut n_steps) = (Vec::new(), Vec::new());
        for recorded in case.plans() {
            let plan = fuse(recorded.plan.clone(), backend);
            prepared.push(backend.prepare(&plan, &weights).await?);
            n_steps.push(plan.steps().len());
        }
        Ok(Self { backend, case, pool, states, prepared, n_steps, cancel })
    }

    /// Does one thing; of a run, gives what is read.
    pub(crate) async fn act(
        &mut self,
        action: &Action,
        pace: Pace,
    ) -> Result<Option<Vec<Vec<f32>>>, BackendError> {
        match action {
            Action::Run(run) => return self.run(run, pace).await.map(Some),
            Action::Snapshot(sequence) => {
                let [slot, snapshot] = self.pool.snapshot(*sequence);
                self.backend.copy_slot(&mut self.states, slot, snapshot)?;
            }
            Action::Restore(sequence) => {
                let [slot, snapshot] = self.pool.snapshot(*sequence);
                self.backend.copy_slot(&mut self.states, snapshot, slot)?;
            }
            Action::Fork { from, to } => self.fork(*from, *to)?,
            Action::Forget(sequence) => self.pool.forget(*sequence),
            Action::Shrink => {
                self.pool.shrink();
                self.backend.resize(&mut self.states, self.pool.size())?;
            }
            Action::Grow(n) => {
                self.pool.grow(*n);
                self.backend.resize(&mut self.states, self.pool.size())?;
            }
        }
        Ok(None)
    }

    fn fork(&mut self, from: usize, to: usize) -> Result<(), BackendError> {
        let (slots, pages) = self.pool.fork(from, to);
        self.backend.copy_slot(&mut self.states, slots[0], slots[1])?;
        pages
            .into_iter()
            .try_for_each(|(table, pages)| self.backend.copy_page(&mut self.states, table, pages))
    }

    /// Gives the sequences their pages and slots.
    fn take(&mut self, parts: &[Part]) -> Result<(), BackendError> {
        for part in parts {
            if let Some(slot) = self.pool.take(part) {
                self.backend.copy_slot(&mut self.states, EMPTY_SLOT, slot)?;
            }
        }
        Ok(())
    }

    async fn run(&mut self, run: &Run, pace: Pace) -> Result<Vec<Vec<f32>>, BackendError> {
        self.take(&run.parts)?;
        let recorded = &self.case.plans()[run.plan];
        let ids: Vec<u32> = run.parts.iter().flat_map(|part| &part.ids).copied().collect();
        let spans: Vec<Span<'_>> = run.parts.iter().map(|part| self.pool.span(part)).collect();
        let rows = Rows { ids: &ids, spans: &spans, wanted: &run.wanted, cancel: self.cancel };
        let prepared = &mut self.prepared[run.plan];
        match pace {
            Pace::Whole => self.backend.run(prepared, &mut self.states, rows).await?,
            Pace::Stepwise => {
                for step in 0..self.n_steps[run.plan] {
                    self.backend.run_steps(prepared, &mut self.states, rows, step..step + 1).await?;
                }
            }
        }
        let mut readings = Vec::new();
        for read in &recorded.reads {
            readings.push(self.read(recorded, read, run).await?);
        }
        Ok(readings)
    }

    async fn read(&self, recorded: &Recorded, read: &Read, run: &Run) -> Result<Vec<f32>, BackendError> {
        let reading = Reading { buffer: read.buffer, n_rows: recorded.n_rows(read, run) };
        let mut values = Vec::new();
        self.backend.read(&self.prepared[run.plan], &self.states, reading, &mut values).await?;
        Ok(match recorded.state(read) {
            Some(kind) => self.pool.of_parts(kind, &values, &run.parts),
            None => values,
        })
    }

    /// Queues runs of the first plan, a sequence for each chain.
    pub(crate) async fn queue(&mut self, chains: &[Chain]) -> Result<(), BackendError> {
        let parts = parts(chains);
        self.take(&parts)?;
        let mut rows = Vec::new();
        for (part, chain) in parts.iter().zip(chains) {
            let Chain { goes_on, id, banned, seen, choice, draws, .. } = chain;
            let start = (!goes_on).then_some(Start { id: *id, banned, seen });
            let span = Span { n_rows: 1, ..self.pool.span(part) };
            rows.push(AheadRow { start, span, choice: *choice, draws });
        }
        let ahead = Ahead { rows: &rows, cancel: self.cancel };
        self.backend.queue(&mut self.prepared[0], &mut self.states, ahead).await
    }

    /// Waits for what was queued first.
    pub(crate) async fn chosen(&mut self) -> Result<Vec<u32>, BackendError> {
        let mut ids = Vec::new();
        self.backend.chosen(&mut self.prepared[0], &mut ids).await?;
        Ok(ids)
    }
}

/// What the sequences of chains need pages for: all the runs of each.
pub(crate) fn parts(chains: &[Chain]) -> Vec<Part> {
    let part = |(sequence, chain): (usize, &Chain)| {
        let ids = vec![chain.id; chain.draws.len().max(1)];
        Part { sequence, ids, position: chain.position }
    };
    chains.iter().enumerate().map(part).collect()
}
