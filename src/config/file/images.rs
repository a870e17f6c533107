//! What the configuration says of the image cache.

use serde::{Deserialize, Serialize};

use crate::{
    images::OriginSettings,
    model::{Bytes, Seconds},
    persona::schema::text,
    stage::Aim,
};

use super::{size, written};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Images {
    #[serde(deserialize_with = "text", serialize_with = "size")]
    pub(in crate::config) ram: Bytes,
    #[serde(deserialize_with = "text", serialize_with = "size")]
    pub(in crate::config) disk: Bytes,
    pub(in crate::config) aim: Aim,
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(in crate::config) patience: Seconds,
    #[serde(deserialize_with = "text", serialize_with = "size")]
    pub(in crate::config) keeper_rate: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) s3: Option<S3>,
}

impl Default for Images {
    fn default() -> Self {
        let patience = Seconds(OriginSettings::PATIENCE.as_secs() as u32);
        Self {
            ram: Bytes(1 << 30),
            disk: Bytes(50 << 30),
            aim: Aim::Hits,
            patience,
            keeper_rate: Bytes(32 << 20),
            s3: None,
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct S3 {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) access_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) secret_key: Option<String>,
    pub(in crate::config) instance: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) path_style: Option<bool>,
}
