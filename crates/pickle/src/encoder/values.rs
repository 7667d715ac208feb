//! Numbers, text and bytes.

use super::{Encoder, Result};
use crate::object::{Object, shortest};
use crate::opcode::*;
use crate::{ByteArray, Bytes, PicklingError, Str};

impl Encoder<'_> {
    pub(crate) fn int(&mut self, int: i64) {
        if let Ok(byte) = u8::try_from(int) {
            self.out.extend(&[BININT1, byte]);
        } else if let Ok(short) = u16::try_from(int) {
            let [low, high] = short.to_le_bytes();
            self.out.extend(&[BININT2, low, high]);
        } else if let Ok(int) = i32::try_from(int) {
            self.out.push(BININT);
            self.out.extend(&int.to_le_bytes());
        } else {
            let bytes = int.to_le_bytes();
            let bytes = shortest(&bytes);
            self.out.extend(&[LONG1, bytes.len() as u8]);
            self.out.extend(bytes);
        }
    }

    pub(super) fn long(&mut self, bytes: &[u8]) -> Result<()> {
        match (u8::try_from(bytes.len()), i32::try_from(bytes.len())) {
            (Ok(length), _) => self.out.extend(&[LONG1, length]),
            (_, Ok(length)) => {
                self.out.push(LONG4);
                self.out.extend(&length.to_le_bytes());
            }
            _ => return Err(PicklingError::new("int too large to pickle")),
        }
        self.out.extend(bytes);
        Ok(())
    }

    #[inline]
    pub(crate) fn float(&mut self, float: f64) {
        let mut bytes = [BINFLOAT; 9];
        bytes[1..].copy_from_slice(&float.to_be_bytes());
        self.out.extend(&bytes);
    }

    pub(super) fn text(&mut self, text: &Str) -> Result<()> {
        self.characters(text.as_wtf8())?;
        self.memoize(&Object::Str(text.clone()), false);
        self.out.boundary();
        Ok(())
    }

    /// Text that nobody refers to but by the number that this returns.
    #[inline]
    pub(crate) fn new_text(&mut self, text: &[u8]) -> Result<usize> {
        self.characters(text)?;
        let number = self.count();
        self.out.boundary();
        Ok(number)
    }

    #[inline(always)]
    fn characters(&mut self, text: &[u8]) -> Result<()> {
        if let (4.., Ok(length)) = (self.protocol, u8::try_from(text.len())) {
            self.out.extend(&[SHORT_BINUNICODE, length]);
            self.out.extend(text);
            return Ok(());
        }
        self.counted("string", None, BINUNICODE, BINUNICODE8, text)
    }

    pub(super) fn bytes(&mut self, bytes: &Bytes, single: bool) -> Result<()> {
        self.counted(
            "bytes object",
            Some(SHORT_BINBYTES),
            BINBYTES,
            BINBYTES8,
            bytes,
        )?;
        self.memoize(&Object::Bytes(bytes.clone()), single);
        self.out.boundary();
        Ok(())
    }

    /// The instruction that fits the length.
    pub(super) fn counted(
        &mut self,
        what: &str,
        short: Option<u8>,
        long: u8,
        longest: u8,
        bytes: &[u8],
    ) -> Result<()> {
        let length = (bytes.len() as u64).to_le_bytes();
        let mut header = [0; 9];
        header[1..].copy_from_slice(&length);
        let header = match (short, bytes.len()) {
            (Some(short), 0..=0xff) => {
                header[0] = short;
                &header[..2]
            }
            (_, 0..=0xffff_ffff) => {
                header[0] = long;
                &header[..5]
            }
            _ if self.protocol >= 4 => {
                header[0] = longest;
                &header
            }
            _ => {
                return Err(PicklingError::new(format!(
                    "serializing a {what} larger than 4 GiB requires pickle protocol 4 or higher"
                )));
            }
        };
        self.out.counted(header, bytes);
        Ok(())
    }

    pub(super) fn byte_array(&mut self, bytes: &ByteArray, single: bool) {
        let copy = bytes.to_vec();
        let mut header = [BYTEARRAY8; 9];
        header[1..].copy_from_slice(&(copy.len() as u64).to_le_bytes());
        self.out.counted(&header, &copy);
        self.memoize(&Object::ByteArray(bytes.clone()), single);
        self.out.boundary();
    }
}
