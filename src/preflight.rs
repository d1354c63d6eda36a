//! `NativePreflight`.

use std::collections::BTreeSet;

use napi::bindgen_prelude::{Env, Function, Result};
use napi_derive::napi;
use runtime::Config;
use runtime::preflight::{CheckName, Preflight};

use crate::handle::{Handle, failed, invalid, read};

/// A look at everything that a call needs: a task of the runtime with its ordered event stream.
#[napi]
#[derive(Debug)]
pub struct NativePreflight {
    preflight: Handle<Preflight>,
}

#[napi]
impl NativePreflight {
    /// Begins with a phone's options and the names of what is wanted, as JSON; throws if an option is wrong, with the text for
    /// the user.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        options: String,
        wanted: String,
        on_event: Function<'_, String, ()>,
    ) -> Result<NativePreflight> {
        let config = Config::from_json(&read(&options)?).map_err(invalid)?;
        let wanted: BTreeSet<CheckName> = read(&wanted)?;
        crate::farewell::at_end_of_thread(&env)?;
        let preflight = Handle::start(&on_event, |events| {
            Preflight::start(config, wanted, events).map_err(failed)
        })?;
        Ok(NativePreflight { preflight })
    }

    /// Answers a question to a function of the application.
    #[napi]
    pub fn answer(
        &self,
        question: u32,
        given: Option<String>,
        failure: Option<String>,
    ) -> Result<()> {
        self.preflight.task()?.answer(question, given, failure);
        Ok(())
    }

    /// Gives it up.
    #[napi]
    pub fn close(&mut self) {
        self.preflight.close();
    }
}
