//! How structures of the API model are written down.

/// Says how a structure is read: each of its members once, in the order of the API model, as
/// `field: kind "Name in the API"`. The kind is the method of `Fields` that takes the member out.
macro_rules! structure {
    ($structure:ident { $($field:ident: $kind:ident $(<$item:ident>)? $($name:literal)+,)* }) => {
        impl $crate::wire::schema::FromFields for $structure {
            const MEMBERS: $crate::wire::schema::Members =
                &[$($crate::wire::schema::member!($kind $(<$item>)? $($name)+)),*];

            fn from_fields(fields: &mut $crate::wire::schema::Fields) -> Self {
                Self { $($field: fields.$kind $(::<$item>)? ($($name),+),)* }
            }
        }
    };
}

/// The members that a kind reads.
macro_rules! member {
    (required_text $name:literal) => {
        &[Member::required($name, Kind::Text)]
    };
    (text $name:literal) => {
        &[Member::optional($name, Kind::Text)]
    };
    (text_or_empty $name:literal) => {
        &[Member::optional($name, Kind::Text)]
    };
    (secret_text $name:literal) => {
        &[Member::sensitive($name, Kind::Text)]
    };
    (value $binary:literal $string:literal) => {
        &[Member::sensitive($binary, Kind::Blob), Member::sensitive($string, Kind::Text)]
    };
    (integer $name:literal) => {
        &[Member::optional($name, Kind::Integer)]
    };
    (long $name:literal) => {
        &[Member::optional($name, Kind::Long)]
    };
    (boolean $name:literal) => {
        &[Member::optional($name, Kind::Boolean)]
    };
    (texts $name:literal) => {
        &[Member::optional($name, Kind::List(&Kind::Text))]
    };
    (required_texts $name:literal) => {
        &[Member::required($name, Kind::List(&Kind::Text))]
    };
    (structure<$item:ident> $name:literal) => {
        &[Member::optional($name, Kind::Structure(<$item>::MEMBERS))]
    };
    (structures<$item:ident> $name:literal) => {
        &[Member::optional($name, Kind::List(&Kind::Structure(<$item>::MEMBERS)))]
    };
    (required_structures<$item:ident> $name:literal) => {
        &[Member::required($name, Kind::List(&Kind::Structure(<$item>::MEMBERS)))]
    };
}

pub(crate) use {member, structure};
