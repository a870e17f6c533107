//! The OpenAPI 3.1 document, made from the handlers' own types. What all operations have in common is said here.

use aide::{
    axum::ApiRouter,
    openapi::{
        Header, HeaderStyle, Info, License, MediaType, OpenApi, Operation, Parameter, ParameterData,
        ParameterSchemaOrContent, ReferenceOr, Response, SchemaObject, SecurityScheme, Server, StatusCode, Tag,
    },
};
use axum::Router;
use schemars::{Schema, generate::SchemaSettings, json_schema};

use super::{
    Api, PREFIX,
    caller::SCHEME,
    problem::{Kind, PROBLEM_JSON, ProblemBody},
};

/// The resources, as the document orders them.
const TAGS: [(&str, &str); 11] = [
    ("devices", "Machines: what is known of them, and what the organisation says of them."),
    ("users", "People, whose attributes hold for the devices that they use."),
    ("assignments", "Which persona a device shall become."),
    ("arming", "Leave to wipe a device's disk."),
    ("rules", "The rules of the configuration."),
    ("boots", "Attempts to boot, and their timelines."),
    ("personas", "What devices can become."),
    ("cache", "Where the images' files are."),
    ("predictions", "What devices will probably want, and what they would get."),
    ("audit", "Who did what."),
    ("health", "How the server fares."),
];

const ABOUT: &str = "\
Says which device becomes which persona, for user-management and service-desk systems.

Requests carry `Authorization: Bearer TOKEN`. An operator makes tokens on the server: `greenroom token create --name helpdesk \
--scope assignments:write --expires 90d`. Whoever may write may read; each operation names the scope that it needs.

Answers that are one thing have an `ETag`. Send it back as `If-Match`, and what you write is written only if nobody has changed \
the thing meanwhile. Send an `Idempotency-Key` with what must be done once: it can then be sent again until an answer comes.

Lists are pages: ask for the `next` of one as `cursor` until there is none. What goes wrong is told as problems (RFC 9457) whose \
types have pages.";

/// The routes, and the document that describes them.
pub(super) fn of(routes: fn() -> ApiRouter<Api>) -> (Router<Api>, OpenApi) {
    // OpenAPI 3.1 speaks JSON Schema 2020-12, and keeps its schemas elsewhere.
    aide::generate::in_context(|context| {
        let settings = SchemaSettings::draft2020_12();
        let settings = settings.with(|settings| settings.definitions_path = "#/components/schemas/".into());
        context.schema = settings.into_generator();
    });
    let mut document = OpenApi::default();
    let routes = routes().finish_api(&mut document);
    finish(&mut document);
    (routes, document)
}

fn finish(document: &mut OpenApi) {
    document.info = Info {
        title: "Greenroom".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        description: Some(ABOUT.into()),
        license: Some(License {
            name: "Apache-2.0".into(),
            identifier: Some("Apache-2.0".into()),
            ..License::default()
        }),
        ..Info::default()
    };
    document.servers = vec![Server { url: PREFIX.into(), ..Server::default() }];
    let tag = |(name, about): (&str, &str)| Tag {
        name: name.into(),
        description: Some(about.into()),
        external_docs: None,
        extensions: Default::default(),
    };
    document.tags = TAGS.map(tag).into();
    let bearer = SecurityScheme::Http {
        scheme: "bearer".into(),
        bearer_format: None,
        description: Some("A token that `greenroom token create` made.".into()),
        extensions: Default::default(),
    };
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert(SCHEME.into(), ReferenceOr::Item(bearer));
    let problem = SchemaObject { json_schema: inlined::<ProblemBody>(), external_docs: None, example: None };
    components.schemas.insert("Problem".into(), problem);
    for (_, item) in document.paths.iter_mut().flat_map(|paths| paths.paths.iter_mut()) {
        let ReferenceOr::Item(item) = item else { continue };
        let get = item.get.as_mut();
        get.into_iter().for_each(conditional);
        let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        all.into_iter().flatten().for_each(common);
    }
}

/// The schema of a type with all that it names in it.
fn inlined<T: schemars::JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>()
}

/// A single thing that is read can be asked for only if it is another one.
fn conditional(operation: &mut Operation) {
    let Some(responses) = &mut operation.responses else { return };
    let tagged = responses
        .responses
        .values()
        .any(|response| matches!(response, ReferenceOr::Item(response) if response.headers.contains_key("ETag")));
    if !tagged {
        return;
    }
    let unchanged = Response { description: "It still has the ETag that was named.".into(), ..Response::default() };
    responses.responses.insert(StatusCode::Code(304), ReferenceOr::Item(unchanged));
    let json_schema = json_schema!({ "type": "string" });
    operation.parameters.push(ReferenceOr::Item(Parameter::Header {
        parameter_data: ParameterData {
            name: "If-None-Match".into(),
            description: Some("Only if it has another ETag than this.".into()),
            required: false,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(SchemaObject { json_schema, external_docs: None, example: None }),
            example: None,
            examples: Default::default(),
            explode: None,
            extensions: Default::default(),
        },
        style: HeaderStyle::Simple,
    }));
}

/// What can go wrong with an operation, from what it takes.
fn common(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let has = |name: &str| {
        operation
            .parameters
            .iter()
            .any(|one| matches!(one, ReferenceOr::Item(one) if one.parameter_data_ref().name == name))
    };
    let in_path = |one: &ReferenceOr<Parameter>| matches!(one, ReferenceOr::Item(Parameter::Path { .. }));
    let mut kinds = vec![Kind::Malformed, Kind::Unauthorized, Kind::Forbidden, Kind::NotAcceptable, Kind::TooMany];
    kinds.push(Kind::Unavailable);
    if operation.parameters.iter().any(in_path) || has_body {
        kinds.push(Kind::NotFound);
    }
    if has("If-Match") {
        kinds.extend([Kind::Changed, Kind::Invalid]);
    }
    if has_body {
        kinds.extend([Kind::TooSlow, Kind::TooLarge, Kind::MediaType, Kind::Invalid]);
    }
    kinds.sort_by_key(|kind| kind.about().1);
    let responses = operation.responses.get_or_insert_default();
    responses.default = None;
    for kind in kinds {
        let (_, status, title, _) = kind.about();
        let json_schema = Schema::new_ref("#/components/schemas/Problem".to_owned());
        let schema = Some(SchemaObject { json_schema, external_docs: None, example: None });
        let content = [(PROBLEM_JSON.to_owned(), MediaType { schema, ..MediaType::default() })];
        let mut response =
            Response { description: title.into(), content: content.into_iter().collect(), ..Response::default() };
        if matches!(kind, Kind::TooMany | Kind::Unavailable) {
            response.headers.insert("Retry-After".into(), ReferenceOr::Item(retry_after()));
        }
        responses.responses.insert(StatusCode::Code(status.as_u16()), ReferenceOr::Item(response));
    }
}

fn retry_after() -> Header {
    let json_schema = json_schema!({ "type": "integer", "minimum": 1 });
    Header {
        description: Some("In how many seconds to ask again.".into()),
        style: HeaderStyle::Simple,
        required: false,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(SchemaObject { json_schema, external_docs: None, example: None }),
        example: None,
        examples: Default::default(),
        extensions: Default::default(),
    }
}
