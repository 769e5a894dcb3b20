//! Logging in without leaving: user name and password, asked for over whatever the screen shows.

use crossterm::event::KeyEvent;

use crate::auth::Secret;
use crate::tui::input::{self, Edit};
use crate::tui::state::msg::{Dirty, Effect};
use crate::tui::state::{Access, State};
use crate::tui::theme::Role;

/// Longest name or password that can be typed, in characters: the server takes no longer ones.
const FIELD_CHARS_MAX: usize = 1_024;

/// What is typed next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginField {
    /// The user's name.
    Username,
    /// The password, which is never shown.
    Password,
}

/// The question.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginForm {
    /// What was typed.
    pub username: String,
    password: String,
    /// What is typed next.
    pub field: LoginField,
    /// Whether the server was asked and has not answered yet.
    pub waiting: bool,
    /// Why the last try failed.
    pub error: Option<String>,
}

impl std::fmt::Debug for LoginForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginForm")
            .field("username", &self.username)
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

impl LoginForm {
    /// How many characters of the password were typed.
    pub fn password_chars(&self) -> usize {
        self.password.chars().count()
    }

    fn typed(&mut self) -> &mut String {
        match self.field {
            LoginField::Username => &mut self.username,
            LoginField::Password => &mut self.password,
        }
    }
}

/// A login that went well.
#[derive(Debug)]
pub struct LoggedIn {
    /// In words, what was done with the token.
    pub said: String,
    /// What is known of the way to the server now.
    pub access: Access,
}

impl State {
    /// Asks who wants to log in.
    pub fn ask_login(&mut self) {
        if self.replay.is_some() {
            return self.say("a recording has no login", Role::Warn);
        }
        let username = self.username.clone().unwrap_or_default();
        let field = if username.is_empty() { LoginField::Username } else { LoginField::Password };
        let password = String::new();
        (self.popup, self.prompt) = (None, None);
        self.login = Some(LoginForm { username, password, field, waiting: false, error: None });
    }

    /// A key while the question stands.
    pub(super) fn login_key(&mut self, key: &KeyEvent) -> Dirty {
        match input::edit(key) {
            Some(edit) => self.login_edit(edit),
            None => return Dirty::Clean,
        }
        Dirty::Input
    }

    /// Text that was pasted while the question stands.
    pub(super) fn login_paste(&mut self, text: &str) {
        text.chars().filter(|c| !c.is_control()).for_each(|c| self.login_edit(Edit::Insert(c)));
    }

    fn login_edit(&mut self, edit: Edit) {
        let Some(form) = &mut self.login else { return };
        match edit {
            Edit::Cancel => self.login = None,
            Edit::Complete | Edit::CompleteBack | Edit::Previous | Edit::Next => {
                form.field = match form.field {
                    LoginField::Username => LoginField::Password,
                    LoginField::Password => LoginField::Username,
                };
            }
            // The answer is on its way: what is typed now would belong to no try.
            _ if form.waiting => {}
            Edit::Insert(c) => {
                let typed = form.typed();
                if typed.chars().count() < FIELD_CHARS_MAX {
                    typed.push(c);
                }
            }
            Edit::Backspace => {
                form.typed().pop();
            }
            Edit::DeleteWord | Edit::Clear => form.typed().clear(),
            // Both are typed at their end: of a password nobody sees where else.
            Edit::Delete | Edit::Move(_) | Edit::Home | Edit::End | Edit::Page(_) => {}
            Edit::Accept if form.username.is_empty() => form.field = LoginField::Username,
            Edit::Accept if form.password.is_empty() => form.field = LoginField::Password,
            Edit::Accept => {
                form.waiting = true;
                form.error = None;
                let password = Secret::new(std::mem::take(&mut form.password));
                self.effects.push(Effect::Login { username: form.username.clone(), password });
            }
        }
    }

    /// What became of a try: what was done with the token, or why it failed.
    pub(super) fn logged_in(&mut self, answer: Result<Box<LoggedIn>, String>) -> Dirty {
        match (answer, &mut self.login) {
            (Ok(done), form) => {
                *form = None;
                let LoggedIn { said, access } = *done;
                self.username.clone_from(&access.username);
                self.access = access;
                // Said again when the stream is there, which else would say that it is.
                self.login_done = (!self.link.is_live()).then(|| said.clone());
                self.tell(said, "", Role::Good);
                self.effects.push(Effect::Retry);
            }
            (Err(why), Some(form)) => {
                form.waiting = false;
                form.field = LoginField::Password;
                form.error = Some(why);
            }
            (Err(_), None) => return Dirty::Clean,
        }
        Dirty::Input
    }
}
