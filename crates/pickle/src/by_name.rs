//! What names in a program's own code stand for, made once each.

/// By the place of the name, so that to find one compares no text.
pub(crate) struct ByName<T>(Vec<(&'static str, T)>);

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> ByName<T> {
    /// What `name` stands for, which `make` makes the first time.
    pub(crate) fn get(&mut self, name: &'static str, make: fn(&'static str) -> T) -> T {
        let mut known = self.0.iter();
        if let Some((_, found)) = known.find(|(known, _)| std::ptr::eq(*known, name)) {
            return found.clone();
        }
        let made = make(name);
        self.0.push((name, made.clone()));
        made
    }
}
