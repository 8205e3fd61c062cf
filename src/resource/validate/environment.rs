//! What an Environment alone has to say: its classes of change, its freezes, its least score of trust.

use super::Report;
use crate::resource::change_class::ChangeClass;
use crate::resource::envelope::Resource;
use crate::resource::freeze;
use crate::resource::path;
use crate::resource::value::Value;

pub(super) fn check(environment: &Resource, report: &mut Report<'_>) {
    let spec = environment.spec();
    for word in spec.get("changeClasses").and_then(Value::as_map).into_iter().flat_map(|classes| classes.keys()) {
        if ChangeClass::from_word(word).is_none() {
            let at = path::entry("spec.changeClasses", word);
            let place = report.document.key_position(&at);
            let finding = report.error("change-class", &at, format!("`{word}` is no class of change"));
            (finding.line, finding.column) = (place.line, place.column);
            finding.help = Some(ChangeClass::help(word));
        }
    }
    for names in [
        &["evalRunners"][..],
        &["override"],
        &["allowlists", "modelProviders"],
        &["allowlists", "publishers"],
        &["allowlists", "imageRegistries"],
        &["compliance", "dataResidency"],
    ] {
        super::kinds::check_blank(names, environment, report);
    }
    super::kinds::check_range(&["minTrustScore"], 0.0, 1.0, environment, report);
    for (index, read) in freeze::read_all(spec.get("freezes")).into_iter().enumerate() {
        let Err(why) = read else { continue };
        let at = path::item("spec.freezes", index);
        report.error("freeze", &at, why).help = Some("as it stands it would be in force for ever".into());
    }
}
