//! Functions with their arguments in a tuple.

/// A function that can be called with `Args`, a tuple, as Python calls `target(*args)`.
pub trait Call<Args> {
    /// What it returns.
    type Output;

    /// Calls the function.
    fn call(self, args: Args) -> Self::Output;
}

macro_rules! call {
    ($($argument:ident)*) => {
        impl<F, R, $($argument),*> Call<($($argument,)*)> for F
        where
            F: FnOnce($($argument),*) -> R,
        {
            type Output = R;

            #[allow(non_snake_case, reason = "the types' names serve as the variables'")]
            fn call(self, ($($argument,)*): ($($argument,)*)) -> R {
                self($($argument),*)
            }
        }
    };
}
call!();
call!(A);
call!(A B);
call!(A B C);
call!(A B C D);
call!(A B C D E);
call!(A B C D E G);
