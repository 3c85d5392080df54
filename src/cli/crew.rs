//! What every command that runs trials shares: threads, progress, interruption, and what is said
//! of a bug of ours.

use super::files::Ready;
use super::output::{complain, tell, watched};
use super::{Exit, TrialArgs};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use regionsim::experiment::{Bug, Experiment, Outcomes};
use regionsim::world::Limits;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs trials for a command.
pub struct Crew {
    stop: Arc<AtomicBool>,
    jobs: usize,
    silent: bool,
    /// One bar over several runs, where a command has one.
    shared: Option<ProgressBar>,
}

impl Crew {
    /// As the command line says. From now on the first interruption asks to end.
    pub fn new(args: &TrialArgs) -> Crew {
        let stop = Arc::new(AtomicBool::new(false));
        catch_interrupt(&stop);
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = args.jobs.map_or_else(cores, |jobs| jobs as usize);
        Crew { stop, jobs, silent: args.quiet || args.no_progress || !watched(), shared: None }
    }

    /// True once somebody asked to end.
    pub fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Set when somebody asks to end.
    pub fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// From now on runs share one bar, over so many trials in all: what is left is then told of
    /// the whole.
    pub fn share_a_bar(&mut self, label: &str, trials: u64) {
        self.shared = Some(self.bar(label, trials));
    }

    /// So many trials need not be run.
    pub fn skip(&self, trials: u64) {
        if let Some(bar) = &self.shared {
            // They took no time, and say nothing of how long the others take.
            bar.set_length(bar.length().unwrap_or(0).saturating_sub(trials));
        }
    }

    /// The shared bar is over.
    pub fn end_the_bar(&mut self) {
        if let Some(bar) = self.shared.take() {
            bar.finish_and_clear();
        }
    }

    /// Runs these trials of a scenario.
    ///
    /// # Errors
    /// The exit code of a bug of ours; it has been told.
    pub fn run(
        &self,
        label: &str,
        ready: &Ready,
        seed: u64,
        trials: Range<u64>,
    ) -> Result<Outcomes, Exit> {
        let own = || self.bar(label, trials.end.saturating_sub(trials.start));
        let bar = self.shared.clone().unwrap_or_else(own);
        let experiment = Experiment {
            stage: &ready.stage,
            settings: &ready.scenario.settings,
            seed,
            trials,
            jobs: self.jobs,
            events: Limits::default().events,
            stop: &self.stop,
        };
        let outcomes = experiment.run(&|_| bar.inc(1));
        if self.shared.is_none() {
            bar.finish_and_clear();
        }
        outcomes.map_err(|bug| self.bug(label, &bug))
    }

    /// Says how to see a bug again.
    pub fn bug(&self, label: &str, Bug { seed, trial, message }: &Bug) -> Exit {
        complain(&format!(
            "{label}: a bug of ours in trial {trial} of seed {seed}: {message}\n  \
             to see it again: regionsim trace FILE --seed {seed} --trial {trial}"
        ));
        Exit::Bug
    }

    fn bar(&self, label: &str, trials: u64) -> ProgressBar {
        if self.silent {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(trials), ProgressDrawTarget::stderr());
        let template = "{msg} {bar:30} {pos}/{len} trials, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(label.to_string());
        bar
    }
}

/// The first interruption asks to end, the second ends.
fn catch_interrupt(stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    let caught = ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        tell("interrupted: keeping what is finished; once more to end at once\n");
    });
    // Without a handler an interruption ends the program; files are whole all the same.
    if let Err(error) = caught {
        tell(&format!("warning: interruptions will not be caught: {error}\n"));
    }
}
