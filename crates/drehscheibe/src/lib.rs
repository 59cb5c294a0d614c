//! drehscheibe
