//! Numbers, text and bytes.

use super::{Machine, Result};
use crate::literal;
use crate::object::from_signed_bytes;
use crate::opcode::*;
use crate::source::Source;
use crate::{ByteArray, Error, Object, Str, UnpicklingError};

impl<S: Source> Machine<S> {
    pub(super) fn text(&mut self, length: usize) -> Result<()> {
        let bytes = self.source.take(length)?;
        let Some(text) = Str::from_wtf8(bytes) else {
            let complaint = "'utf-8' codec can't decode the bytes of a str: invalid data";
            return Err(Error::ValueError(complaint.into()).into());
        };
        self.push(text);
        Ok(())
    }

    pub(super) fn number(&mut self, instruction: u8) -> Result<()> {
        let number = match instruction {
            BININT => Object::from(i32::from_le_bytes(self.source.array()?)),
            BININT2 => Object::from(u16::from_le_bytes(self.source.array()?)),
            BINFLOAT => Object::from(f64::from_be_bytes(self.source.array()?)),
            LONG1 => {
                let length = usize::from(self.byte()?);
                from_signed_bytes(self.source.take(length)?)
            }
            _ => {
                let length = usize::try_from(i32::from_le_bytes(self.source.array()?));
                let negative = |_| UnpicklingError::new("LONG pickle has negative byte count");
                from_signed_bytes(self.source.take(length.map_err(negative)?)?)
            }
        };
        self.push(number);
        Ok(())
    }

    /// What has its length before it.
    pub(super) fn counted(&mut self, instruction: u8) -> Result<()> {
        let length = match instruction {
            SHORT_BINBYTES | SHORT_BINSTRING => u64::from(self.byte()?),
            BINUNICODE | BINBYTES => u64::from(u32::from_le_bytes(self.source.array()?)),
            BINSTRING => {
                let length = i32::from_le_bytes(self.source.array()?);
                let negative = |_| UnpicklingError::new("BINSTRING pickle has negative byte count");
                u64::try_from(length).map_err(negative)?
            }
            _ => u64::from_le_bytes(self.source.array()?),
        };
        let length = usize::try_from(length).map_err(|_| {
            Error::OverflowError("a length of the pickle exceeds this system's maximum".into())
        })?;
        match instruction {
            BINUNICODE | BINUNICODE8 => return self.text(length),
            SHORT_BINSTRING | BINSTRING => {
                let text = self.encoding.decode(self.source.take(length)?)?;
                self.push(text);
            }
            BYTEARRAY8 => {
                let bytes = ByteArray::from(self.source.take(length)?);
                self.push(bytes);
            }
            _ => {
                let bytes = Object::from(self.source.take(length)?);
                self.push(bytes);
            }
        }
        Ok(())
    }

    /// What ends with its line.
    pub(super) fn line(&mut self, instruction: u8) -> Result<()> {
        let line = self.source.line()?;
        let object = match instruction {
            INT => literal::int(line)?,
            LONG => literal::long(line)?,
            FLOAT => literal::float(line)?,
            UNICODE => literal::unicode(line)?.into(),
            _ => self.encoding.decode(&literal::string(line)?)?,
        };
        self.push(object);
        Ok(())
    }
}
