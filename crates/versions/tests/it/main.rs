//! Version order against public vectors, the reference tools and its own laws.

mod dpkg;
