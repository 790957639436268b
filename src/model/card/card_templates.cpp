#include "cohub/model_card.hpp"

namespace cohub {

std::string_view default_mixin_card_template() noexcept {
  return R"(---
{{ card_data }}
---

This model was pushed to the Hub by a C++ program with the model mixin of cohub; it loads again with `from_pretrained`.

- Code: {{ repo_url | default("[More Information Needed]", true) }}
- Paper: {{ paper_url | default("[More Information Needed]", true) }}
- Docs: {{ docs_url | default("[More Information Needed]", true) }})";
}

std::string_view default_model_card_template() noexcept {
  return R"(---
{{ card_data }}
---

# Model Card for {{ model_id | default("Model ID", true) }}

{{ model_summary | default("", true) }}

## Model Details

### Model Description

{{ model_description | default("", true) }}

- **Developed by:** {{ developers | default("[More Information Needed]", true) }}
- **Funded by:** {{ funded_by | default("[More Information Needed]", true) }}
- **Shared by:** {{ shared_by | default("[More Information Needed]", true) }}
- **Model type:** {{ model_type | default("[More Information Needed]", true) }}
- **Language(s):** {{ language | default("[More Information Needed]", true) }}
- **License:** {{ license | default("[More Information Needed]", true) }}
- **Finetuned from:** {{ base_model | default("[More Information Needed]", true) }}

### Model Sources

- **Repository:** {{ repo | default("[More Information Needed]", true) }}
- **Paper:** {{ paper | default("[More Information Needed]", true) }}
- **Demo:** {{ demo | default("[More Information Needed]", true) }}

## Uses

### Direct Use

{{ direct_use | default("[More Information Needed]", true) }}

### Downstream Use

{{ downstream_use | default("[More Information Needed]", true) }}

### Out-of-Scope Use

{{ out_of_scope_use | default("[More Information Needed]", true) }}

## Bias, Risks, and Limitations

{{ bias_risks_limitations | default("[More Information Needed]", true) }}

### Recommendations

{{ bias_recommendations | default("Whoever uses this model should know its risks, its biases and what it cannot do.", true) }}

## How to Get Started with the Model

{{ get_started_code | default("[More Information Needed]", true) }}

## Training Details

### Training Data

{{ training_data | default("[More Information Needed]", true) }}

### Training Procedure

#### Preprocessing

{{ preprocessing | default("[More Information Needed]", true) }}

#### Training Hyperparameters

- **Training regime:** {{ training_regime | default("[More Information Needed]", true) }}

#### Speeds, Sizes, Times

{{ speeds_sizes_times | default("[More Information Needed]", true) }}

## Evaluation

### Testing Data

{{ testing_data | default("[More Information Needed]", true) }}

### Factors

{{ testing_factors | default("[More Information Needed]", true) }}

### Metrics

{{ testing_metrics | default("[More Information Needed]", true) }}

### Results

{{ results | default("[More Information Needed]", true) }}

#### Summary

{{ results_summary | default("", true) }}

## Model Examination

{{ model_examination | default("[More Information Needed]", true) }}

## Environmental Impact

- **Hardware Type:** {{ hardware_type | default("[More Information Needed]", true) }}
- **Hours used:** {{ hours_used | default("[More Information Needed]", true) }}
- **Cloud Provider:** {{ cloud_provider | default("[More Information Needed]", true) }}
- **Compute Region:** {{ cloud_region | default("[More Information Needed]", true) }}
- **Carbon Emitted:** {{ co2_emitted | default("[More Information Needed]", true) }}

## Technical Specifications

### Model Architecture and Objective

{{ model_specs | default("[More Information Needed]", true) }}

### Compute Infrastructure

{{ compute_infrastructure | default("[More Information Needed]", true) }}

#### Hardware

{{ hardware_requirements | default("[More Information Needed]", true) }}

#### Software

{{ software | default("[More Information Needed]", true) }}

## Citation

**BibTeX:**

{{ citation_bibtex | default("[More Information Needed]", true) }}

**APA:**

{{ citation_apa | default("[More Information Needed]", true) }}

## Glossary

{{ glossary | default("[More Information Needed]", true) }}

## More Information

{{ more_information | default("[More Information Needed]", true) }}

## Model Card Authors

{{ model_card_authors | default("[More Information Needed]", true) }}

## Model Card Contact

{{ model_card_contact | default("[More Information Needed]", true) }}
)";
}

std::string_view default_dataset_card_template() noexcept {
  return R"(---
{{ card_data }}
---

# Dataset Card for {{ pretty_name | default("Dataset Name", true) }}

{{ dataset_summary | default("", true) }}

## Dataset Details

### Dataset Description

{{ dataset_description | default("", true) }}

- **Curated by:** {{ curators | default("[More Information Needed]", true) }}
- **Funded by:** {{ funded_by | default("[More Information Needed]", true) }}
- **Shared by:** {{ shared_by | default("[More Information Needed]", true) }}
- **Language(s):** {{ language | default("[More Information Needed]", true) }}
- **License:** {{ license | default("[More Information Needed]", true) }}

### Dataset Sources

- **Repository:** {{ repo | default("[More Information Needed]", true) }}
- **Paper:** {{ paper | default("[More Information Needed]", true) }}
- **Demo:** {{ demo | default("[More Information Needed]", true) }}

## Uses

### Direct Use

{{ direct_use | default("[More Information Needed]", true) }}

### Out-of-Scope Use

{{ out_of_scope_use | default("[More Information Needed]", true) }}

## Dataset Structure

{{ dataset_structure | default("[More Information Needed]", true) }}

## Dataset Creation

### Curation Rationale

{{ curation_rationale_section | default("[More Information Needed]", true) }}

### Source Data

#### Data Collection and Processing

{{ data_collection_and_processing_section | default("[More Information Needed]", true) }}

#### Who are the source data producers?

{{ source_data_producers_section | default("[More Information Needed]", true) }}

### Annotations

#### Annotation process

{{ annotation_process_section | default("[More Information Needed]", true) }}

#### Who are the annotators?

{{ who_are_annotators_section | default("[More Information Needed]", true) }}

#### Personal and Sensitive Information

{{ personal_and_sensitive_information | default("[More Information Needed]", true) }}

## Bias, Risks, and Limitations

{{ bias_risks_limitations | default("[More Information Needed]", true) }}

### Recommendations

{{ bias_recommendations | default("[More Information Needed]", true) }}

## Citation

**BibTeX:**

{{ citation_bibtex | default("[More Information Needed]", true) }}

**APA:**

{{ citation_apa | default("[More Information Needed]", true) }}

## Glossary

{{ glossary | default("[More Information Needed]", true) }}

## More Information

{{ more_information | default("[More Information Needed]", true) }}

## Dataset Card Authors

{{ dataset_card_authors | default("[More Information Needed]", true) }}

## Dataset Card Contact

{{ dataset_card_contact | default("[More Information Needed]", true) }})";
}

}  // namespace cohub
